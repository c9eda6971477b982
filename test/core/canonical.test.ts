import fc from 'fast-check'
import { test } from 'tap'
import { canonicalJson, type Json } from '../../src/core/canonical.ts'
import { holds } from './holds.ts'

test('writes the example of RFC 8785 section 3.2.2 as section 3.2.3 has it', async (t) => {
  const value = JSON.parse(`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`)
  t.equal(
    canonicalJson(value),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('sorts names as the example of RFC 8785 section 3.2.3 does', async (t) => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  t.same(Object.values(JSON.parse(canonicalJson(value).replace('"1"', '"one"'))), [
    'Carriage Return',
    'One',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

test('writes numbers as RFC 8785 appendix B does', async (t) => {
  for (const [bits, text] of [
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ] as const) {
    t.equal(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE()), text)
  }
})

test('keeps the meaning, and writes it one way whatever the order of names', async (t) => {
  const shuffled = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (value === null || typeof value !== 'object') return value
    const pairs = Object.entries(value).map(([key, member]) => [key, shuffled(member ?? null)])
    return Object.fromEntries(pairs.reverse())
  }
  holds(
    t,
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (any) => {
      const value: Json = JSON.parse(JSON.stringify(any))
      const text = canonicalJson(value)
      const again: Json = JSON.parse(text)
      return canonicalJson(again) === text && canonicalJson(shuffled(value)) === text
    }),
  )
})

test('leaves a property out that is undefined', async (t) => {
  t.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}')
})

test('refuses what JSON cannot carry', async (t) => {
  const holed: Json[] = [1]
  holed[2] = 3
  let deep: Json = 1
  for (let i = 0; i < 70; i++) deep = [deep]
  for (const value of [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    'a\ud800',
    { '\udc00': 1 },
    holed,
    deep,
  ]) {
    t.throws(() => canonicalJson(value), TypeError)
  }
  // What the types forbid and a careless cast would let through.
  for (const value of [new Date(0), new Map(), 1n, Symbol('s'), [undefined], undefined]) {
    t.throws(() => Reflect.apply(canonicalJson, undefined, [value]), TypeError)
  }
})
