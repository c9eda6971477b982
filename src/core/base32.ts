/**
 * Pseudonyms as people see them: 26 characters of Crockford's base 32 and one check character, 27
 * in all.
 *
 * The check is over GF(32), the field of the 32 digits with α^5 = α^2 + 1: with d0 the check and
 * d26 the first digit, the sum of α^i·d_i is zero. All 27 weights differ and none is zero, so every
 * single wrong character and every exchange of two characters, neighbours or not, is noticed.
 * (Crockford's own check needs five characters outside the alphabet.)
 *
 * The alphabet ascends in ASCII, so texts sort as their numbers do.
 */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const numberBytes = 16
const dataDigits = 26
const textLength = dataDigits + 1
/**
 * 26 digits of 5 bits hold 130: the first digit is less than 8, so that one number has one text.
 */
const firstDigitMax = 7
/** Numbers whose characters are decoded into one string, of which each text is a slice. */
const stepNumbers = 4_096

const codeOfDigit = Uint8Array.from(alphabet, (character) => character.charCodeAt(0))
const digitOfCode = new Int8Array(128).fill(-1)
for (const [digit, code] of codeOfDigit.entries()) digitOfCode[code] = digit

/** α times each digit: a shift, and α^5 put back as α^2 + 1. */
const timesAlpha = Uint8Array.from({ length: 32 }, (_, digit) =>
  digit & 16 ? ((digit << 1) & 31) ^ 0b00101 : digit << 1,
)

/**
 * The texts of a column of 128-bit numbers, first byte most significant.
 *
 * @param numbers - n × 16 bytes, one number after the other.
 * @returns n texts of 27 characters in the same order.
 * @throws {RangeError} if the last number is not whole: a defect in the caller.
 */
export function textOf(numbers: Uint8Array): string[] {
  if (numbers.length % numberBytes !== 0) throw new RangeError('a column holds whole numbers')
  const texts: string[] = []
  const codes = Buffer.alloc(Math.min(stepNumbers, numbers.length / numberBytes) * textLength)
  for (let start = 0; start < numbers.length; start += stepNumbers * numberBytes) {
    const step = numbers.subarray(start, start + stepNumbers * numberBytes)
    const count = step.length / numberBytes
    for (let i = 0; i < count; i++) writeCodes(step, i * numberBytes, codes, i * textLength)
    const characters = codes.toString('latin1', 0, count * textLength)
    for (let at = 0; at < characters.length; at += textLength) {
      texts.push(characters.slice(at, at + textLength))
    }
  }
  return texts
}

/**
 * The number of a text, 16 bytes; `undefined` if the text is not exactly one that `textOf` writes:
 * another length, a character outside the alphabet (lower case included), a number beyond 128 bits,
 * or a check that does not fit.
 */
export function numberOf(text: string): Uint8Array | undefined {
  if (text.length !== textLength) return undefined
  const number = new Uint8Array(numberBytes)
  let check = 0
  let bits = 0
  let bitCount = -2 // The first two of the 130 bits are no part of the number.
  let byte = 0
  for (let i = 0; i < textLength; i++) {
    const digit = digitOfCode[text.charCodeAt(i)] ?? -1
    if (digit < 0 || (i === 0 && digit > firstDigitMax)) return undefined
    if (i === dataDigits) return check === digit ? number : undefined
    check = timesAlpha[check ^ digit] ?? 0
    bits = ((bits << 5) | digit) & 0x1fff
    bitCount += 5
    if (bitCount < 8) continue
    bitCount -= 8
    number[byte++] = bits >> bitCount
  }
  return undefined
}

/** Writes the 27 character codes of the number at `from`. */
function writeCodes(numbers: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  let check = 0
  let bits = 0
  let bitCount = 2 // Two zero bits lead, so that 128 bits fill 26 digits.
  let next = from
  for (let i = 0; i < dataDigits; i++) {
    if (bitCount < 5) {
      bits = ((bits << 8) | (numbers[next++] ?? 0)) & 0x1fff
      bitCount += 8
    }
    bitCount -= 5
    const digit = (bits >> bitCount) & 31
    check = timesAlpha[check ^ digit] ?? 0
    codes[to + i] = codeOfDigit[digit] ?? 0
  }
  codes[to + dataDigits] = codeOfDigit[check] ?? 0
}
