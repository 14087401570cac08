// Model cards from untrusted hands: what is read is written in one form and read as the same card, as text and Markdown
// nothing in it can drive a terminal, and an edit of it is a card again or an error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "libmod/module/card_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)modnet::is_card(text);
  modnet::Card other;
  (void)modnet::add_eval_metrics(other, text, modnet::Digest{}).ok();
  (void)modnet::merge_card(other, text).ok();
  const modnet::Result<modnet::Card> card = modnet::card_from_json(text);
  if (!card.ok()) {
    if (card.error().what.empty()) std::abort();
    return 0;
  }
  const modnet::Result<std::string> form = modnet::card_to_json(*card);
  if (!form.ok()) std::abort();
  const modnet::Result<modnet::Card> again = modnet::card_from_json(*form);
  if (!again.ok() || !(*again == *card) || *modnet::card_to_json(*again) != *form) std::abort();
  modnet::Identity identity;
  identity.kind = modnet::Kind::kHead;
  for (const std::string& shown : {modnet::card_text(*card, identity), modnet::card_markdown(*card, identity)})
    for (const char c : shown)
      if (static_cast<unsigned char>(c) < 0x20 && c != '\n') std::abort();
  return 0;
}
