// Sentences in two languages: the English one is the key; words.json holds the Indonesian ones.

function filled(text, values) {
  let at = 0;
  return text.replace(/%(%|s|0?\d*d)/g, (whole, kind) => {
    if (kind === "%") return "%";
    const value = String(values[at++]);
    return kind === "s" ? value : value.padStart(parseInt(kind, 10) || 0, "0");
  });
}

// t(sentence, value...) in `language`; a value that is a function is asked for its own words.
export function words(language, table) {
  const t = (sentence, ...values) => {
    const own = Object.prototype.hasOwnProperty.call(table, sentence);
    return filled(language === "id" && own ? table[sentence] : sentence, values);
  };
  t.language = language;
  return t;
}
