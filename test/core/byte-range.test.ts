import fc from 'fast-check'
import { test } from 'tap'
import { rangeWanted } from '../../src/core/byte-range.ts'

const file = { bytes: 1000, tag: '"abc"' }

test('reads one range of bytes as RFC 9110 has it', (t) => {
  const cases: [string, number, number][] = [
    ['bytes=0-499', 0, 500],
    ['bytes=500-999', 500, 1000],
    ['bytes=-500', 500, 1000],
    ['bytes=999-', 999, 1000],
    ['bytes=9500-', -1, -1],
    ['bytes=0-0', 0, 1],
    ['bytes=-1', 999, 1000],
    ['bytes=-5000', 0, 1000],
    ['BYTES=1-100000', 1, 1000],
    ['bytes=-0', -1, -1],
    ['bytes=1000-', -1, -1],
  ]
  for (const [range, start, end] of cases) {
    if (start < 0) t.throws(() => rangeWanted(file, { range }), { code: 'range-unsatisfiable' })
    else t.same(rangeWanted(file, { range }), { start, end, isPartial: true }, range)
  }
  t.end()
})

test('means the whole file when it does not read as one range, or the file is another', (t) => {
  const whole = { start: 0, end: 1000, isPartial: false }
  for (const range of ['bytes=0-1,5-9', 'bytes=9-1', 'rows=0-1', 'bytes=', 'bytes=-', 'x', '']) {
    t.same(rangeWanted(file, { range }), whole, range)
  }
  t.same(rangeWanted(file, {}), whole)
  t.same(rangeWanted(file, { range: 'bytes=0-1', ifRange: '"other"' }), whole)
  t.same(rangeWanted(file, { range: 'bytes=0-1', ifRange: 'W/"abc"' }), whole)
  t.match(rangeWanted(file, { range: 'bytes=0-1', ifRange: '"abc"' }), { isPartial: true })
  t.end()
})

test('never leaves the file', (t) => {
  fc.assert(
    fc.property(fc.nat(50), fc.option(fc.nat(60)), fc.option(fc.nat(60)), (bytes, from, to) => {
      const range = `bytes=${from ?? ''}-${to ?? ''}`
      try {
        const { start, end } = rangeWanted({ bytes, tag: '' }, { range })
        return start >= 0 && start <= end && end <= bytes
      } catch {
        return true
      }
    }),
  )
  t.end()
})
