package kvmselftest.host.bochs;

import kvmselftest.host.Machine;

/**
 * Bochs's configuration file. All files are in the folder it runs in, so that no path can have a
 * comma or blank in it, which would end a value; $BXSHARE is Bochs's own folder.
 */
record BochsConfiguration(BochsModel model, Machine machine) {
  /**
   * One tick of the TSC an instruction, at this rate of Bochs's own time: near what Bochs emulates
   * a second, so that times are not far from those of the clock on the wall. A tick is 20 ns.
   */
  static final int TSC_HZ = 50_000_000;

  static final String DISK = "disk.iso";
  static final String CONSOLE = "console";
  static final String PROGRAMS = "programs";
  static final String RESULTS = "results";
  static final String LOG = "bochs.log";

  /**
   * The clock goes by instructions alone (sync=none): a halted CPU's time passes at once. The
   * display is the terminal that it must have: there is no display of nothing in Debian's.
   */
  String text() {
    return """
    plugin_ctrl: unmapped=0, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, gameport=0, iodebug=0, e1000=0
    config_interface: textconfig
    display_library: term
    romimage: file=$BXSHARE/BIOS-bochs-latest, options=fastboot
    vgaromimage: file=$BXSHARE/VGABIOS-lgpl-latest
    vga: extension=vbe, update_freq=1
    memory: guest=%d, host=%d
    cpu: model=%s, count=%d, ips=%d, reset_on_triple_fault=0, ignore_bad_msrs=1
    clock: sync=none, time0=utc
    boot: cdrom
    ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
    ata0-master: type=cdrom, path=%s, status=inserted
    com1: enabled=1, mode=file, dev=%s
    com2: enabled=1, mode=file, dev=%s
    com3: enabled=1, mode=file, dev=%s
    log: %s
    panic: action=report
    error: action=ignore
    info: action=ignore
    debug: action=ignore
    """
        .formatted(
            machine.memoryMib(),
            machine.memoryMib(),
            model.word(),
            machine.cpus(),
            TSC_HZ,
            DISK,
            CONSOLE,
            PROGRAMS,
            RESULTS,
            LOG);
  }
}
