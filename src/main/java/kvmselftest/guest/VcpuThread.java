package kvmselftest.guest;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Function;
import kvmselftest.kvm.Vcpu;

/**
 * A vCPU with a thread of its own, so that several run at the same time. Any thread may tell it
 * what to do; what it is told, it does in that order. Closing the guest ends a KVM_RUN under way.
 */
public final class VcpuThread implements AutoCloseable {
  private final ExecutorService executor;
  private final Vcpu vcpu;

  private VcpuThread(ExecutorService executor, Vcpu vcpu) {
    this.executor = executor;
    this.vcpu = vcpu;
  }

  /** Creates the vCPU in a new thread. */
  public static VcpuThread start(ClockGuest guest, int index) {
    ExecutorService executor =
        Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("vcpu-" + index).factory());
    try {
      Vcpu vcpu = join(CompletableFuture.supplyAsync(() -> guest.createVcpu(index), executor));
      return new VcpuThread(executor, vcpu);
    } catch (RuntimeException | Error e) {
      executor.shutdown();
      throw e;
    }
  }

  /** The vCPU's index. */
  public int index() {
    return vcpu.index();
  }

  /** Begins something and does not wait for it. */
  public <T> CompletableFuture<T> begin(Function<Vcpu, T> what) {
    return CompletableFuture.supplyAsync(() -> what.apply(vcpu), executor);
  }

  /** Does something, and returns or throws what it does. */
  public <T> T call(Function<Vcpu, T> what) {
    return join(begin(what));
  }

  /** As {@link #call}, without a result. */
  public void run(Consumer<Vcpu> what) {
    join(CompletableFuture.runAsync(() -> what.accept(vcpu), executor));
  }

  /** What has been begun: its result, or its own exception. */
  public static <T> T join(CompletableFuture<T> begun) {
    try {
      return begun.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Closes the vCPU, which ends what it does, and its thread. */
  @Override
  public void close() {
    vcpu.close();
    executor.close();
  }
}
