import fc from 'fast-check'
import { test } from 'tap'
import { daysSince, monthOf } from '../../src/core/dates.ts'

const days = fc
  .integer({ min: -40_000, max: 40_000 })
  .map((day) => new Date(day * 86_400_000).toISOString().slice(0, 10))

test('keeps every interval and every order', (t) => {
  fc.assert(
    fc.property(days, days, days, (anchor, a, b) => {
      const difference = daysSince(anchor, b) - daysSince(anchor, a)
      return difference === daysSince(a, b) && difference > 0 === a < b
    }),
  )
  t.equal(daysSince('2020-02-28', '2020-03-01'), 2)
  t.equal(daysSince('2020-03-01', '2020-03-01'), 0)
  t.end()
})

test('refuses what is not a date', (t) => {
  for (const text of ['2023-02-31', '2023-2-3', '20230203', '2023-02-03T00:00', '', '2023-13-01']) {
    t.throws(() => daysSince('2020-01-01', text), RangeError, text)
    t.throws(() => monthOf(text), RangeError, text)
  }
  t.equal(monthOf('2023-02-28'), '2023-02')
  t.end()
})
