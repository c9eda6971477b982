import { test } from 'tap'
import type { Refusal } from '../../src/core/errors.ts'
import { answersOf } from '../../src/core/ticket-answers.ts'
import { refused } from '../support/refused.ts'

const idOf = (at: number): string => `00000000-0000-8000-8000-${String(at).padStart(12, '0')}`
const asked = new Set(Array.from({ length: 1_000 }, (_, at) => idOf(at)))
const [one, two] = [idOf(1), idOf(2)]

test('reads answers, with either end of line, with none at the end, and as a spreadsheet saves them', async (t) => {
  const expected = [
    { caseId: one, answer: 'same' },
    { caseId: two, answer: 'not-same' },
  ]
  t.same(answersOf(`case,answer\n${one},same\n${two},not-same\n`, asked), expected)
  t.same(answersOf(`case,answer\r\n${one},same\r\n${two},not-same`, asked), expected)
  t.same(answersOf(`\ufeffcase,answer\r\n${one},same\r\n${two},not-same\r\n`, asked), expected)
  const all = [...asked].map((id) => `${id},unknown`)
  t.equal(answersOf(['case,answer', ...all].join('\n'), asked).length, 1_000)
})

test('takes all or nothing, and says which lines without a word of them', async (t) => {
  const refusalOf = (text: string): Refusal => refused(() => answersOf(text, asked))
  const lines = [
    `${one},same`,
    `${one},not-same`,
    `${two}, same`,
    'SERIAL,same',
    two,
    `${two},same,SERIAL`,
    `"${two}",same`,
    '',
    `${two.toUpperCase().replace('0', 'A')},same`,
  ]
  const refusal = refusalOf(['case,answer', ...lines].join('\n'))
  t.match(refusal, { code: 'input-malformed' })
  t.same(refusal.details, {
    'case-repeated': '3',
    'answer-unknown': '4',
    'case-unknown': '5 8 10',
    'columns-differ': '6 7 9',
  })
  t.notMatch(JSON.stringify(refusal), 'SERIAL')
  for (const text of ['', 'case,answer', 'case,answer\n', `case;answer\n${one};same`]) {
    t.match(refusalOf(text), { code: 'input-malformed', details: {} })
  }
  const many = Array.from({ length: 1_001 }, (_, at) => `${idOf(at)},same`)
  t.match(refusalOf(['case,answer', ...many].join('\n')), { details: {} })
  const wrong = Array.from({ length: 40 }, () => `${one},perhaps`)
  const { details } = refusalOf(['case,answer', ...wrong].join('\n'))
  t.same(details, { 'answer-unknown': '2 3 4 5 6 7 8 9 10 11' })
})
