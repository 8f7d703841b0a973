package kvmselftest.host;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import kvmselftest.host.debian.QemuInstallation;
import kvmselftest.host.kernel.Kernel;
import kvmselftest.host.qemu.Qemu;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;

/** A shell script in QEMU's place: it finds the files of the serial ports in the command line. */
record FakeQemu(Path folder) {
  private static final String HEAD =
      """
      #!/bin/sh
      for word; do
        case $word in
          file,id=console,path=*) console=${word##*path=} ;;
          file,id=results,path=*) results=${word##*path=} ;;
        esac
      done
      echo $$ >"${0%/*}/pid"
      """;

  /** A run whose QEMU does what the script says; $console and $results are files. */
  HostRun run(String script) throws IOException {
    Path binary = folder.resolve("qemu");
    Files.writeString(binary, HEAD + script);
    Files.setPosixFilePermissions(binary, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new HostRun(
        new Kernel(folder.resolve("vmlinuz"), "6.1.0-test", List.of()),
        new Qemu(new QemuInstallation(binary, List.of(), Map.of(), "10.0.2"), Accelerator.TCG),
        folder.resolve("busybox"),
        List.of(),
        List.of(new NativeProgram("/bin/true")));
  }

  /** Puts what the init would send into a file beside the script. */
  Path results(Map<String, String> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes("up\nstarted 0\nresults\n".getBytes(StandardCharsets.UTF_8));
    try (TarArchiveOutputStream tar =
        new TarArchiveOutputStream(new GzipCompressorOutputStream(bytes))) {
      for (var file : entries.entrySet()) {
        byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
        TarArchiveEntry entry = new TarArchiveEntry(file.getKey());
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    return Files.write(folder.resolve("sent"), bytes.toByteArray());
  }

  /** Whether the process that ran the script is still there. */
  boolean isAlive() throws IOException {
    long pid = Long.parseLong(Files.readString(folder.resolve("pid")).strip());
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }
}
