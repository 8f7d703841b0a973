"""Checks a trace.jsonl against itself: what the kernel says it did to an offset is what can be read back.

    read_trace.py FILE

- Between a KVM_SET_MSRS of IA32_TSC and the next call there is the kernel's kvm_write_tsc_offset of that vCPU, whose
  offset a KVM_GET_DEVICE_ATTR then reads, if one follows before the next write.
- Each KVM_SET_DEVICE_ATTR of the offset has such an event, with the offset that was set.
"""

import json
import sys

SET_TSC = "KVM_SET_MSRS MSR_IA32_TSC"
SET_OFFSET = "KVM_SET_DEVICE_ATTR KVM_VCPU_TSC_OFFSET"
GET_OFFSET = "KVM_GET_DEVICE_ATTR KVM_VCPU_TSC_OFFSET"
NO_WRITE = (GET_OFFSET, "KVM_GET_CLOCK", "KVM_GET_MSRS MSR_IA32_TSC", "KVM_GET_TSC_KHZ")


def events_after(lines, index):
    """The kernel's offsets between a call and the next."""
    found = []
    for line in lines[index + 1 :]:
        if "op" in line:
            break
        if line.get("event") == "kvm_write_tsc_offset" and line["vcpu"] == lines[index]["vcpu"]:
            if line["host_tsc"] <= lines[index]["host_tsc_after"]:
                found.append(line["offset"])
    return found


def read_back(lines, index):
    """What is read of the same vCPU before anything else, such as its guest, writes; None if nothing is."""
    call = lines[index]
    for line in lines[index + 1 :]:
        if "test" in line or ("op" in line and line["op"] not in NO_WRITE):
            return None
        if line.get("event") == "kvm_write_tsc_offset" and line["vcpu"] == call["vcpu"]:
            if line["host_tsc"] > call["host_tsc_after"]:
                return None
        if line.get("op") == GET_OFFSET and (line["vm"], line["vcpu"]) == (call["vm"], call["vcpu"]):
            return line.get("offset")
    return None


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        lines = [json.loads(line) for line in stream]
    times = [line["host_tsc"] for line in lines if "host_tsc" in line]
    seen = {SET_TSC: 0, SET_OFFSET: 0, "read back": 0}
    for index, line in enumerate(lines):
        if line.get("op") not in (SET_TSC, SET_OFFSET) or "error" in line:
            continue
        if line.get("tsc") == 0:
            continue  # which is no write
        written = events_after(lines, index)
        if not written:
            sys.exit(f"no kvm_write_tsc_offset after {line}")
        if line["op"] == SET_OFFSET and written != [line["offset"]]:
            sys.exit(f"the kernel wrote {written} after {line}")
        read = read_back(lines, index)
        if read is not None and read != written[-1]:
            sys.exit(f"the kernel wrote {written} after {line}, and {read} is read back")
        seen[line["op"]] += 1
        seen["read back"] += read is not None
    print(f"{len(times)} lines of calls and events, {seen}")
    if 0 in seen.values():
        sys.exit("nothing of a kind to check")


main()
