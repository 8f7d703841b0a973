/** The selftests: they talk to a real kernel's KVM and read like the scenario they check. */
package kvmselftest.selftests;
