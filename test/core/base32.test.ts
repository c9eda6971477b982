import fc from 'fast-check'
import { test } from 'tap'
import { numberOf, textOf } from '../../src/core/base32.ts'
import { holds } from './holds.ts'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const anyNumber = fc.uint8Array({ minLength: 16, maxLength: 16 })

/** The text of one number. */
function text(number: Uint8Array): string {
  return textOf(number)[0] ?? ''
}

/** The definition, read from the integer and not from its bits: 26 digits, then the check. */
function slowText(number: Uint8Array): string {
  let rest = BigInt(`0x${Buffer.from(number).toString('hex')}`)
  const digits: number[] = []
  for (let i = 0; i < 26; i++) {
    digits.unshift(Number(rest % 32n))
    rest /= 32n
  }
  // The one check digit that makes the sum of α^i·d_i vanish, found by trying all.
  const power = (digit: number, times: number): number => {
    let value = digit
    for (let i = 0; i < times; i++) value = value & 16 ? ((value << 1) ^ 0b100101) & 31 : value << 1
    return value
  }
  const sum = (all: number[]): number =>
    all.reduce((total, digit, i) => total ^ power(digit, all.length - 1 - i), 0)
  const checks = [...alphabet].filter((_, check) => sum([...digits, check]) === 0)
  if (checks.length !== 1) throw new Error('a number has one check digit')
  return [...digits.map((digit) => alphabet[digit]), checks[0]].join('')
}

test('writes the number in 26 digits and the one check digit that fits', async (t) => {
  holds(
    t,
    fc.property(anyNumber, (number) => text(number) === slowText(number)),
  )
  t.equal(text(new Uint8Array(16)), '0'.repeat(27))
  t.equal(text(new Uint8Array(16).fill(255)).slice(0, 26), `7${'Z'.repeat(25)}`)
})

test('reads back what it wrote', async (t) => {
  holds(
    t,
    fc.property(anyNumber, (number) =>
      Buffer.from(number).equals(numberOf(text(number)) ?? new Uint8Array(0)),
    ),
  )
})

test('a column is one by one, across steps', async (t) => {
  const numbers = Buffer.alloc(10_000 * 16)
  for (let i = 0; i < 10_000; i++) numbers.writeUInt32BE(i * 400_009, i * 16 + (i % 12))
  const texts = textOf(numbers)
  t.equal(texts.length, 10_000)
  t.ok(texts.every((each, i) => each === text(numbers.subarray(i * 16, i * 16 + 16))))
  t.same(textOf(new Uint8Array(0)), [])
})

test('notices every single wrong character', async (t) => {
  holds(
    t,
    fc.property(anyNumber, (number) => {
      const right = text(number)
      for (let i = 0; i < 27; i++) {
        for (const character of alphabet) {
          if (character === right[i]) continue
          if (numberOf(right.slice(0, i) + character + right.slice(i + 1)) !== undefined)
            return false
        }
      }
      return true
    }),
  )
})

test('notices every exchange of two characters', async (t) => {
  holds(
    t,
    fc.property(anyNumber, (number) => {
      const right = text(number)
      for (let i = 0; i < 27; i++) {
        for (let j = i + 1; j < 27; j++) {
          if (right[i] === right[j]) continue
          const characters = [...right]
          characters.splice(i, 1, right.charAt(j))
          characters.splice(j, 1, right.charAt(i))
          if (numberOf(characters.join('')) !== undefined) return false
        }
      }
      return true
    }),
  )
})

test('texts sort as their numbers', async (t) => {
  holds(
    t,
    fc.property(anyNumber, anyNumber, (a, b) => {
      const byText = text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0
      return byText === Buffer.compare(a, b)
    }),
  )
})

test('reads no other form of a text', async (t) => {
  const right = text(Buffer.from('00112233445566778899aabbccddeeff', 'hex'))
  for (const wrong of [
    '',
    right.slice(1),
    `${right}0`,
    ` ${right.slice(1)}`,
    right.toLowerCase(),
    right.replace(/^0/, 'O'),
    `${right.slice(0, 26)}é`,
    `${right.slice(0, 26)}가`,
    `8${right.slice(1)}`,
  ]) {
    t.equal(numberOf(wrong), undefined)
  }
})

test('a number that is not whole is a defect', async (t) => {
  t.throws(() => textOf(new Uint8Array(17)), RangeError)
})
