package kvmselftest.review.page;

import java.util.function.Consumer;

/** HTML as it is written: whatever text comes in is text, never markup. */
final class Html {
  private final StringBuilder text = new StringBuilder();

  /** Markup of ours. */
  Html raw(String markup) {
    text.append(markup);
    return this;
  }

  /** Text from anywhere, between tags or within a quoted attribute. */
  Html text(String content) {
    for (int i = 0; i < content.length(); i++) {
      char letter = content.charAt(i);
      switch (letter) {
        case '<' -> text.append("&lt;");
        case '>' -> text.append("&gt;");
        case '&' -> text.append("&amp;");
        case '"' -> text.append("&quot;");
        case '\'' -> text.append("&#39;");
        default -> text.append(isShown(letter) ? letter : '\ufffd');
      }
    }
    return this;
  }

  /** An element without attributes, with text in it. */
  Html element(String name, String content) {
    return element(name, html -> html.text(content));
  }

  /** An element with more in it. */
  Html element(String opening, Consumer<Html> content) {
    raw("<" + opening + ">");
    content.accept(this);
    int blank = opening.indexOf(' ');
    return raw("</" + (blank < 0 ? opening : opening.substring(0, blank)) + ">\n");
  }

  @Override
  public String toString() {
    return text.toString();
  }

  /** HTML has no other control characters. */
  private static boolean isShown(char letter) {
    return letter >= ' ' || letter == '\n' || letter == '\t';
  }
}
