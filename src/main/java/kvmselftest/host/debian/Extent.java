package kvmselftest.host.debian;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import kvmselftest.host.HostException;

/** How much is fetched for a package, and which files of it are kept. */
enum Extent {
  /** A program that needs nothing else. */
  PROGRAM("(usr/)?s?bin/.*") {
    @Override
    List<DebPackage> choose(String name, PrivateApt apt) throws HostException {
      return apt.find(name).map(List::of).orElse(List.of());
    }
  },

  /**
   * A program with all that it depends on but the C library, which must be the one that the
   * machine's own loader belongs to.
   */
  PROGRAM_WITH_LIBRARIES(
      "usr/bin/(qemu-system-x86_64|bochs-bin|xorriso)|(usr/)?lib/.*"
          + "|usr/share/(qemu|seabios|bochs|vgabios)/.*") {
    @Override
    List<DebPackage> choose(String name, PrivateApt apt) throws HostException {
      return apt.withAllItNeeds(name).stream().filter(p -> !p.name().equals("libc6")).toList();
    }
  },

  /** Files that a PC boots by, which run on no system. */
  BOOT_LOADER("usr/lib/(ISOLINUX|syslinux)/.*") {
    @Override
    List<DebPackage> choose(String name, PrivateApt apt) throws HostException {
      return apt.find(name).map(List::of).orElse(List.of());
    }
  },

  /** A kernel; from 7.2 on Debian's is split into several packages, Ubuntu's always was. */
  KERNEL("boot/.*|(usr/)?lib/modules/.*") {
    @Override
    List<DebPackage> choose(String name, PrivateApt apt) throws HostException {
      List<DebPackage> chosen = new ArrayList<>();
      Set<String> seen = new LinkedHashSet<>(Set.of(name));
      Deque<String> open = new ArrayDeque<>(seen);
      while (!open.isEmpty()) {
        Optional<DebPackage> found = apt.find(open.remove());
        found.ifPresent(chosen::add);
        found.stream()
            .flatMap(one -> one.depends().stream())
            .filter(KERNEL_PART.asMatchPredicate())
            .filter(seen::add)
            .forEach(open::add);
      }
      return chosen;
    }
  };

  /** Not linux-modules-extra-*: large, and KVM is not among them. */
  private static final Pattern KERNEL_PART =
      Pattern.compile("linux-(image|binary|modules)-(?!extra-).*");

  private final Pattern kept;

  Extent(String kept) {
    this.kept = Pattern.compile(kept);
  }

  /** The packages to fetch; none when there is no package of that name. */
  abstract List<DebPackage> choose(String name, PrivateApt apt) throws HostException;

  /** Whether a file of them is kept, by its path without a leading slash. */
  boolean keeps(String path) {
    return kept.matcher(path).matches();
  }
}
