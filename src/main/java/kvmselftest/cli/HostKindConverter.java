package kvmselftest.cli;

import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code intel-noscaling} and the like. */
final class HostKindConverter implements ITypeConverter<HostKind> {
  @Override
  public HostKind convert(String word) {
    List<HostKind> kinds = List.of(HostKind.values());
    return kinds.stream()
        .filter(kind -> kind.toString().equals(word))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "'" + word + "' is none of " + Arrays.toString(HostKind.values())));
  }
}
