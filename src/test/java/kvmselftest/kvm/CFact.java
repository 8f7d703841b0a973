package kvmselftest.kvm;

/**
 * One number that the bindings state and a C compiler can check.
 *
 * @param expression what it is in C, an integer constant expression such as {@code offsetof(struct
 *     kvm_run, io.port)}
 * @param stated what the bindings say
 */
record CFact(String expression, long stated) {}
