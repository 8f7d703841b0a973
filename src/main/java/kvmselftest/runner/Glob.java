package kvmselftest.runner;

import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A pattern for names, as typed after {@code --tests}: {@code *} stands for any text, {@code ?} for
 * one character, and both together for the whole name; without either, the text may stand anywhere
 * in the name. Upper and lower case are the same.
 *
 * @param text the pattern as typed
 */
record Glob(String text) {
  private static final int FLAGS = Pattern.CASE_INSENSITIVE | Pattern.DOTALL;

  boolean matches(String name) {
    return regex().matcher(name).find();
  }

  private Pattern regex() {
    boolean wild = text.contains("*") || text.contains("?");
    String body = text.chars().mapToObj(Glob::regexOf).collect(Collectors.joining());
    return Pattern.compile(wild ? "^" + body + "$" : body, FLAGS);
  }

  private static String regexOf(int character) {
    return switch (character) {
      case '*' -> ".*";
      case '?' -> ".";
      default -> Pattern.quote(Character.toString(character));
    };
  }
}
