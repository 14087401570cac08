// A card for people: plain text for a terminal, and Markdown with a YAML head as model hubs read it. Everything that comes
// from a file is escaped: for terminals (C0, C1, bidi), in Markdown also for Markdown, HTML and YAML.
// Tested by tests/unit/module_rules/card_test.cc.
#pragma once

#include <string>

#include "formats/module/records.h"
#include "libmod/module/card.h"

namespace modnet {

/// Sections in the order of the file's fields; ends with a line feed. Texts keep their line breaks.
[[nodiscard]] std::string card_text(const Card& card, const Identity& identity);
/// "library_name: modnet", the licence, tags and metrics in front, then sections.
[[nodiscard]] std::string card_markdown(const Card& card, const Identity& identity);

/// A text as it may stand within a line of Markdown: nothing in it is taken for markup or HTML.
[[nodiscard]] std::string escape_markdown(std::string_view text);

}  // namespace modnet
