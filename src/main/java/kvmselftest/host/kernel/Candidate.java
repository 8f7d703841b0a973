package kvmselftest.host.kernel;

import java.util.List;

/**
 * A kernel image with the places that its modules may be in.
 *
 * @param places the first one is looked at first, for every module
 */
record Candidate(BzImage image, List<? extends ModulePlace> places) {
  Candidate {
    places = List.copyOf(places);
  }
}
