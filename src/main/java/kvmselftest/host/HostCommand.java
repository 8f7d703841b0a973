package kvmselftest.host;

/** Something to be run in the emulated host. Its standard output and error go to the user. */
public sealed interface HostCommand permits JavaProgram, NativeProgram {}
