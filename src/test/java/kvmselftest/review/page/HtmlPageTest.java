package kvmselftest.review.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import kvmselftest.results.Results;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlPageTest {
  @TempDir Path folder;

  @Test
  void saysWhatWasFoundWithoutAScript() throws IOException {
    String text = markup(SamplePage.withCharts());

    assertTrue(text.contains("<strong>failed</strong>"), text);
    assertTrue(text.contains("<th scope=\"row\">sample.behaviour</th>"), text);
    assertTrue(text.contains("<td>0xe</td>"), text);
    assertTrue(text.contains("<summary>SampleTest (9 pass, 1 fail, 1 skip)</summary>"), text);
    assertTrue(text.contains("<td class=\"number\">-3 to 1</td>"), text);
    assertTrue(text.contains("<td class=\"number\">3 ns</td>"), text);
    assertEquals(2, count("data-kind=\"migration\"", text));
    assertEquals(2, count("data-kind=\"differences\"", text));
    assertEquals(2, count("data-kind=\"floors\"", text));
  }

  @Test
  void saysThatThereIsNothingToDraw() throws IOException {
    String text = markup(SamplePage.withoutCharts());

    assertTrue(text.contains("This run has no migration to draw."), text);
    assertTrue(text.contains("This run has no measured values."), text);
    assertEquals(0, count("data-kind", text));
  }

  /** BrowserTest has a browser's word for it. */
  @Test
  void takesNoTextForMarkup() throws IOException {
    HtmlPage.write(SamplePage.evil(), folder);
    String all = Files.readString(folder.resolve(HtmlPage.FILE));

    assertFalse(all.contains("<img src=x"), "an img element in the page");
    assertEquals(3, count("</script>", all));
    assertTrue(markup(SamplePage.evil()).contains("&lt;/script&gt;&lt;img src=x"), all);
  }

  @Test
  void loadsNothing() throws IOException {
    String text = markup(SamplePage.withCharts());

    assertTrue(text.contains("content=\"default-src 'none'; script-src 'sha256-"), text);
    assertFalse(Pattern.compile("(src|href)\\s*=").matcher(text).find(), text);
  }

  /** The page without what is in its scripts. */
  private String markup(Results results) throws IOException {
    HtmlPage.write(results, folder);
    return Files.readString(folder.resolve(HtmlPage.FILE))
        .replaceAll("(?s)<script.*?</script>", "");
  }

  private static long count(String what, String text) {
    return Pattern.compile(Pattern.quote(what)).matcher(text).results().count();
  }
}
