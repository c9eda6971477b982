/**
 * The characters of the recipe: which are taken out, which are folded, and what the capital of a Latin letter is.
 *
 * The tables are written out here and do not follow the run time's Unicode version: a key made in ten years must equal
 * the one made today. NFC itself is stable by Unicode's own promise. Every table holds characters of the Basic
 * Multilingual Plane only, one to one, so that SQL's `translate` can apply exactly the same tables.
 */

type Range = readonly [first: number, last: number, step?: number]

// White space by Unicode's property White_Space.
const whiteSpaceRanges: readonly Range[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]

// Zero width, invisible, or a filler that is drawn as a blank.
const invisibleRanges: readonly Range[] = [
  [0xad, 0xad], // Soft hyphen.
  [0x34f, 0x34f], // Combining grapheme joiner.
  [0x61c, 0x61c], // Arabic letter mark.
  [0x180e, 0x180e], // Mongolian vowel separator.
  [0x200b, 0x200f], // Zero-width space, joiners, direction marks.
  [0x202a, 0x202e], // Direction embeddings.
  [0x2060, 0x2064], // Word joiner and invisible operators.
  [0x2066, 0x206f], // Direction isolates.
  [0x3164, 0x3164], // Hangul filler.
  [0xfe00, 0xfe0f], // Variation selectors.
  [0xfeff, 0xfeff], // Byte order mark.
  [0xffa0, 0xffa0], // Half-width Hangul filler.
]

// Every small letter of Basic Latin, Latin-1, Extended-A, Extended-B and Extended Additional whose capital is one code
// point of these blocks, with the distance to it. Others, such as sharp s, stay as they are.
const smallLatin: readonly (readonly [Range, distance: number])[] = [
  [[0x61, 0x7a], -32],
  [[0xe0, 0xf6], -32],
  [[0xf8, 0xfe], -32],
  [[0xff, 0xff], 121],
  [[0x101, 0x12f, 2], -1],
  [[0x131, 0x131], -232], // Dotless i becomes I.
  [[0x133, 0x137, 2], -1],
  [[0x13a, 0x148, 2], -1],
  [[0x14b, 0x177, 2], -1],
  [[0x17a, 0x17e, 2], -1],
  [[0x17f, 0x17f], -300], // Long s becomes S.
  [[0x180, 0x180], 195],
  [[0x183, 0x185, 2], -1],
  [[0x188, 0x188], -1],
  [[0x18c, 0x18c], -1],
  [[0x192, 0x192], -1],
  [[0x195, 0x195], 97],
  [[0x199, 0x199], -1],
  [[0x19a, 0x19a], 163],
  [[0x19e, 0x19e], 130],
  [[0x1a1, 0x1a5, 2], -1],
  [[0x1a8, 0x1a8], -1],
  [[0x1ad, 0x1ad], -1],
  [[0x1b0, 0x1b0], -1],
  [[0x1b4, 0x1b6, 2], -1],
  [[0x1b9, 0x1b9], -1],
  [[0x1bd, 0x1bd], -1],
  [[0x1bf, 0x1bf], 56],
  [[0x1c6, 0x1cc, 3], -2],
  [[0x1ce, 0x1dc, 2], -1],
  [[0x1dd, 0x1dd], -79],
  [[0x1df, 0x1ef, 2], -1],
  [[0x1f3, 0x1f3], -2],
  [[0x1f5, 0x1f5], -1],
  [[0x1f9, 0x21f, 2], -1],
  [[0x223, 0x233, 2], -1],
  [[0x23c, 0x23c], -1],
  [[0x242, 0x242], -1],
  [[0x247, 0x24f, 2], -1],
  [[0x1e01, 0x1e95, 2], -1],
  [[0x1e9b, 0x1e9b], -59],
  [[0x1ea1, 0x1eff, 2], -1],
]

/** White space, every character once. */
export const whiteSpace: string = whiteSpaceRanges.map(textOfRange).join('')

/** One step of folding: character n of `from` becomes character n of `to`; those beyond the end of `to` are removed. */
export type Folding = { readonly from: string; readonly to: string }

/** Full width to half width (U+FF01..FF5E to U+0021..007E); white space and invisible characters removed. */
export const halfWidth: Folding = {
  from: textOfRange([0xff01, 0xff5e]) + whiteSpace + invisibleRanges.map(textOfRange).join(''),
  to: textOfRange([0x21, 0x7e]),
}

/** Small Latin letters to capitals. */
export const capitals: Folding = {
  from: smallLatin.map(([range]) => textOfRange(range)).join(''),
  to: smallLatin
    .map(([[first, last, step], distance]) =>
      textOfRange([first + distance, last + distance, step ?? 1]),
    )
    .join(''),
}

/** What stands between the groups of a number: hyphens and dashes, after `halfWidth`. */
export const dashes = '-\u2010\u2011\u2012\u2013\u2014\u2015\u2212'

/** `text` with one folding applied, character by character. */
export function folded(text: string, folding: Folding): string {
  let result = ''
  for (const character of text) {
    const index = folding.from.indexOf(character)
    result += index < 0 ? character : (folding.to[index] ?? '')
  }
  return result
}

function textOfRange([first, last, step = 1]: Range): string {
  let text = ''
  for (let code = first; code <= last; code += step) text += String.fromCharCode(code)
  return text
}
