import { test } from 'tap'
import { doubtedSerials, doubtsMax } from '../../src/core/doubt-list.ts'
import type { Refusal } from '../../src/core/errors.ts'
import { refused } from '../support/refused.ts'

const refusalOf = (text: string): Refusal => refused(() => doubtedSerials(text))

test('reads serials, each once, with either end of line and as a spreadsheet saves them', async (t) => {
  t.same(doubtedSerials('serial\na\nB-2\na\n'), ['a', 'B-2'])
  t.same(doubtedSerials('\ufeffserial\r\na\r\nB-2'), ['a', 'B-2'])
  t.same(doubtedSerials('serial'), [], 'nothing is doubted any more')
})

test('takes all or nothing, and says which lines without a word of them', async (t) => {
  const refusal = refusalOf('serial\ngood\nSECRET one\n\n"SECRET"\n')
  t.match(refusal, { code: 'input-malformed', details: { lines: '3 4 5' } })
  t.notMatch(JSON.stringify(refusal), 'SECRET')
  for (const text of ['', 'a\nb', 'serial;\na']) t.match(refusalOf(text), { details: {} })
  const many = Array.from({ length: doubtsMax + 1 }, (_, at) => `s${at}`)
  t.match(refusalOf(['serial', ...many].join('\n')), { details: { most: doubtsMax } })
})
