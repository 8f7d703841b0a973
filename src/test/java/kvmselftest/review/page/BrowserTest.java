package kvmselftest.review.page;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import kvmselftest.results.Results;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.AssertionFailedError;

/** The page as a browser shows it, from a file and without a network. */
class BrowserTest {
  private static final Pattern SVG = Pattern.compile("<svg[^>]* width=\"(\\d+)\"");

  /** A browser's child may still be writing into its profile. */
  @TempDir(cleanup = CleanupMode.ON_SUCCESS)
  private Path folder;

  private Browser browser;

  @BeforeEach
  void findBrowser() {
    Path binary =
        Browser.installed()
            .orElseGet(
                () -> {
                  String why = "no chromium on the PATH: apt-get install chromium";
                  if ("required".equals(System.getProperty("kvmselftest.browser"))) {
                    fail(why);
                  }
                  return Assumptions.abort(why);
                });
    browser = new Browser(binary, folder);
  }

  @Test
  void drawsEveryChartAndLetsNoTextDoHarm() throws Exception {
    String dom = browser.dom(page(SamplePage.evil()), 1200);

    assertEquals(6, Pattern.compile("data-kind=").matcher(body(dom)).results().count(), dom);
    assertEquals(6, svgs(dom).size(), "charts that are drawn");
    assertTrue(dom.contains("<title>KVM clock selftests: failed</title>"), "the title has changed");
    assertFalse(body(dom).contains("<img"), "an element that a text has made");
    for (String name :
        List.of("guest TSC", "kvmclock", "host time, ms", "moved", "before", "after")) {
      assertTrue(body(dom).contains(">" + name + "<"), name + " is not in a chart");
    }
  }

  @Test
  void fitsANarrowWindow() throws Exception {
    String dom = browser.dom(page(SamplePage.withCharts()), 500);

    List<Integer> widths = svgs(dom);
    assertEquals(6, widths.size(), dom);
    assertTrue(widths.stream().allMatch(width -> width > 300 && width <= 500), widths::toString);
  }

  @Test
  void isDarkWhereThePageIsToBeDark() throws Exception {
    Path page = page(SamplePage.withoutCharts());

    assertTrue(brightness(browser.screenshot(page, Browser.Scheme.DARK)) < 64);
    assertTrue(brightness(browser.screenshot(page, Browser.Scheme.LIGHT)) > 192);
  }

  /** That this test would see an error: here is one. */
  @Test
  void noticesAnErrorInAScript() throws Exception {
    Path page = folder.resolve("wrong.html");
    Files.writeString(page, "<!DOCTYPE html><title>wrong</title><script>nothing.there()</script>");

    AssertionFailedError error =
        assertThrows(AssertionFailedError.class, () -> browser.dom(page, 800));
    assertTrue(
        String.valueOf(error.getMessage()).contains("nothing is not defined"), error::toString);
  }

  private Path page(Results results) throws IOException {
    HtmlPage.write(results, folder);
    return folder.resolve(HtmlPage.FILE);
  }

  private static List<Integer> svgs(String dom) {
    return SVG.matcher(body(dom))
        .results()
        .map((MatchResult found) -> Integer.parseInt(found.group(1)))
        .toList();
  }

  /** The document without its scripts. */
  private static String body(String dom) {
    return dom.replaceAll("(?s)<script.*?</script>", "");
  }

  /** Of a corner of the page, 0 to 255. */
  private static int brightness(Path picture) throws IOException {
    int rgb = Objects.requireNonNull(ImageIO.read(picture.toFile())).getRGB(5, 5);
    return ((rgb >> 16 & 255) + (rgb >> 8 & 255) + (rgb & 255)) / 3;
  }
}
