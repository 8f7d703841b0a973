/** The Java half of the benchmark that bench/run.sh runs; bench/kvm_bench.c is the other. */
package kvmselftest.bench;
