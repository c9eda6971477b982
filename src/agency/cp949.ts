/**
 * CP949 to UTF-8, strictly and in bulk. The table is iconv-lite's (Node's own decoder silently turns the 8,800 syllables
 * beyond EUC-KR into wrong characters); the loop is ours, because every byte of a file goes through it and a bad byte must
 * be refused where it stands, not replaced.
 */
import iconv from 'iconv-lite'

/** Where a decoder stopped. */
export type Decoded = {
  /** Bytes written to the output. */
  written: number
  /** Bytes of the input used up; a lead byte at the end waits for its other half. */
  used: number
  /** False when the byte at `used` begins no character. */
  isValid: boolean
}

let table: Uint16Array | undefined

/** Code unit by lead × 256 + trail; 0 where CP949 has no character. All of CP949 lies in the Basic Multilingual Plane. */
function codeUnits(): Uint16Array {
  if (table !== undefined) return table
  const made = new Uint16Array(65_536)
  const pair = Buffer.alloc(2)
  for (let lead = 0x81; lead <= 0xfe; lead++) {
    for (let trail = 0x41; trail <= 0xfe; trail++) {
      pair[0] = lead
      pair[1] = trail
      const text = iconv.decode(pair, 'cp949')
      const unit = text.length === 1 ? text.charCodeAt(0) : 0xfffd
      if (unit !== 0xfffd) made[(lead << 8) | trail] = unit
    }
  }
  table = made
  return made
}

/**
 * Decodes as much of `input` as holds whole characters.
 *
 * @param output - at least 1.5 × the input, in bytes: two bytes become at most three.
 */
export function decodeCp949(input: Uint8Array, output: Uint8Array): Decoded {
  const units = codeUnits()
  const length = input.length
  let from = 0
  let to = 0
  while (from < length) {
    const byte = input[from] ?? 0
    if (byte < 0x80) {
      output[to++] = byte
      from++
      continue
    }
    if (from + 1 === length) break
    const unit = units[(byte << 8) | (input[from + 1] ?? 0)] ?? 0
    if (unit === 0) return { written: to, used: from, isValid: false }
    if (unit < 0x800) {
      output[to++] = 0xc0 | (unit >> 6)
    } else {
      output[to++] = 0xe0 | (unit >> 12)
      output[to++] = 0x80 | ((unit >> 6) & 0x3f)
    }
    output[to++] = 0x80 | (unit & 0x3f)
    from += 2
  }
  return { written: to, used: from, isValid: true }
}
