import { type Test, test } from 'tap'
import type { ReleasedColumn } from '../../src/core/policy.ts'
import { collectWords, type NameList, nameAmongWords } from '../../src/engine/known-names.ts'
import { quoteText } from '../../src/engine/session.ts'
import { openScratch } from './scratch.ts'

const title = { en: 'x', ko: 'x' }
const keep = { rule: 'keep' } as const
const note: ReleasedColumn = {
  name: 'NOTE',
  rule: keep,
  column: { type: 'text', title },
  type: 'string',
}
const number: ReleasedColumn = {
  name: 'NO',
  rule: keep,
  column: { type: 'integer', title },
  type: 'integer',
}

/** Looks for one list of names in texts, or numbers. */
async function search(
  t: Test,
  list: { kind: NameList['kind']; rows: string },
  values: readonly (string | number | null)[],
  column = note,
): Promise<{ words: boolean; found: { column: string; rows: number } | undefined }> {
  const { session, path } = await openScratch(t)
  const type = column === note ? 'varchar' : 'bigint'
  const literals = values.map((value) => (value === null ? 'null' : quoteText(String(value))))
  const parquet = path('release.parquet')
  await session.run(`copy (
    select value::${type} as "${column.name}" from (values (${literals.join('), (')})) v(value)
  ) to ${quoteText(parquet)} (format parquet)`)
  const names = path('names.parquet')
  await session.run(`copy (${list.rows}) to ${quoteText(names)} (format parquet)`)
  const searched = { parquet, columns: [column] }
  const words = await collectWords(session, searched)
  const found = await nameAmongWords(session, searched, { kind: list.kind, path: names })
  return { words, found }
}

function serials(...names: string[]): { kind: 'link-map'; rows: string } {
  const rows = names.map((name) => `(${quoteText(name)}, null::integer)`).join(', ')
  return { kind: 'link-map', rows: `select * from (values ${rows}) v(serial, ordinal)` }
}

const serial = '7ZK2M4Q8XW1D'

test('finds a serial that is the whole value or stands alone in a text', async (t) => {
  const texts = [serial, `see ${serial}.`, `(${serial})`, `환자${serial}는`, serial.toLowerCase()]
  for (const text of [...texts, `no.${serial}`, `${serial}-2`]) {
    const { found } = await search(t, serials('another-one-1', serial), ['nothing', null, text])
    t.same(found, { column: 'NOTE', rows: 1 }, text)
  }
  for (const text of [`x${serial}`, `${serial}9`, serial.slice(1), 'treatment continued']) {
    t.equal((await search(t, serials(serial), [text])).found, undefined, text)
  }
})

test('finds a serial with signs inside, and counts the rows', async (t) => {
  const texts = ['of HOSP-2020_00017 again', 'HOSP-2020_00017', 'HOSP-2020_00018', null]
  const { found } = await search(t, serials('HOSP-2020_00017'), texts)
  t.same(found, { column: 'NOTE', rows: 2 })
})

test('finds a name in a chain of words, and one with signs at its ends', async (t) => {
  const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e'
  const inTexts = {
    [uuid]: [`file-${uuid}.txt`, `2020-01-01_${uuid}`, `id_${uuid.toUpperCase()}-2`, `${uuid}.`],
    'HOSP-2020_00017': ['copy-of-HOSP-2020_00017', 'a.b.c-d-HOSP-2020_00017.txt'],
    '-x9_Qm3v7Lk2_': ['-x9_Qm3v7Lk2_', 'see -x9_Qm3v7Lk2_, again'],
    'x9-Qm3v7Lk2.': ['x9-Qm3v7Lk2.'],
  }
  for (const [name, texts] of Object.entries(inTexts)) {
    for (const text of texts) {
      const { found } = await search(t, serials('another-one-1', name), ['nothing', null, text])
      t.same(found, { column: 'NOTE', rows: 1 }, text)
    }
  }
  for (const text of [`file-x${uuid}.txt`, `file-${uuid}0.txt`, 'copy-of-HOSP-2020_000178']) {
    const { found } = await search(t, serials(uuid, 'HOSP-2020_00017'), [text])
    t.equal(found, undefined, text)
  }
})

test('a name too short to be told from chance is passed over, and costs nothing', async (t) => {
  const short = ['1234', '20200131', '12345678901234', 'ABCDEFGHJK', 'AB12CD34E']
  t.same(await search(t, serials(...short), short), { words: false, found: undefined })
  const long = ['123456789012345', 'ABCDEFGHJKM', 'AB12CD34EF']
  for (const name of long) {
    t.same((await search(t, serials(name), [name])).found, { column: 'NOTE', rows: 1 }, name)
  }
})

test('finds a number of 15 digits in a column of numbers', async (t) => {
  const list = serials('123456789012345', '12345')
  t.same(await search(t, list, [12345, 7, null], number), { words: false, found: undefined })
  t.same((await search(t, list, [123456789012345, 7], number)).found, { column: 'NO', rows: 1 })
})

test('finds a person number however it is printed, and a pseudonym', async (t) => {
  const person = '0f8fad5b-d9cb-469f-a165-70867728950e'
  const persons = {
    kind: 'persons' as const,
    rows: `select 0 as ordinal, '${person}'::uuid as person`,
  }
  for (const text of [person, person.toUpperCase(), `is ${person.replaceAll('-', '')}.`]) {
    t.same((await search(t, persons, [text])).found, { column: 'NOTE', rows: 1 }, text)
  }
  const changes = { kind: 'person-changes' as const, rows: `${persons.rows}, null::uuid as other` }
  t.same((await search(t, changes, [person])).found, { column: 'NOTE', rows: 1 }, 'given up')
  const pseudonym = '2N5ZK3M9Q7X1D4A8B6C0E5F2G9H'
  const list = { kind: 'release-persons' as const, rows: `select '${pseudonym}' as pseudonym` }
  t.same((await search(t, list, [`was ${pseudonym}`])).found, { column: 'NOTE', rows: 1 })
})

test('does not search where values are of a closed list or of our own making', async (t) => {
  const { session, path } = await openScratch(t)
  const parquet = path('release.parquet')
  await session.run(`copy (select '${serial}' as "NOTE") to ${quoteText(parquet)} (format parquet)`)
  const closed = { ...note, column: { ...note.column, codes: [serial] } }
  const own = { ...note, rule: { rule: 'rekey' } as const }
  for (const column of [closed, own]) {
    t.equal(await collectWords(session, { parquet, columns: [column] }), false)
  }
  t.equal(await collectWords(session, { parquet, columns: [note] }), true)
})

test('searches what leaves of a column of few values where it is listed', async (t) => {
  const { session, path } = await openScratch(t)
  const parquet = path('release.parquet')
  await session.run(`copy (select 'nothing' as "NOTE") to ${quoteText(parquet)} (format parquet)`)
  const few = new Map([['NOTE', { leaving: `(select '${serial}' as "NOTE")` }]])
  t.equal(await collectWords(session, { parquet, columns: [note], few }), true)
  t.equal(await collectWords(session, { parquet, columns: [note] }), false)
})
