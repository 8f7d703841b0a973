/**
 * The bank of seeded bugs that seeded-bugs/run.sh runs: KVM with one bug at a time, and who catches
 * it.
 */
package kvmselftest.bank;
