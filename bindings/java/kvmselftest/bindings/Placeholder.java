package kvmselftest.bindings;
final class Placeholder { }
