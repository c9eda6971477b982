import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'
import type { PrepareOptions } from '../../src/agency/prepare-options.ts'
import { Refusal } from '../../src/core/errors.ts'
import { options, read, rowsOf, usual } from './support.ts'

/** Keys alone, and what a delivery of tables to them is asked. */
async function keysFirst(t: Test): Promise<{
  keysDir: string
  serialOf: (id: string) => string
  listed: (ids: string[]) => Promise<string>
  later: (change?: Partial<PrepareOptions>) => PrepareOptions
}> {
  const given = await options(t, usual, { content: 'keys' })
  const report = await prepare(given)
  t.same(
    report.manifest.parts.map(({ table, rows }) => [table, rows]),
    [['', 3]],
  )
  t.same(report.tables, {})
  const serials = join(given.outDir, 'serials.parquet')
  const rows = await rowsOf(serials)
  const serialOf = (id: string): string =>
    String(rows.find((row) => row['id'] === id)?.['serial'] ?? 'UNKNOWN')
  const { agenciesKey: _, ...keyless } = given
  return {
    keysDir: given.outDir,
    serialOf,
    listed: async (ids) => {
      const path = join(given.sourceDir, 'linked.csv')
      await writeFile(path, `${['serial', ...ids.map(serialOf)].join('\n')}\n`)
      return path
    },
    later: (change = {}) => ({
      ...keyless,
      content: 'tables',
      serials,
      outDir: join(given.sourceDir, 'tables'),
      ...change,
    }),
  }
}

test('tables that come later are those of a delivery of both, without key and persons', async (t) => {
  const { keysDir, later } = await keysFirst(t)
  const given = later()
  const report = await prepare(given)
  t.equal(report.persons, null)
  t.same(
    report.manifest.parts.map(({ table, rows }) => [table, rows]),
    [['statement', 3]],
  )
  t.notOk(existsSync(join(given.outDir, 'keys')))
  t.notOk(existsSync(join(given.outDir, 'serials.parquet')), 'the map stays where it is')
  const ids = new Map(
    (await rowsOf(join(keysDir, 'serials.parquet'))).map((row) => [row['serial'], row['id']]),
  )
  const rows = await rowsOf(join(given.outDir, 'tables/statement/*.parquet'))
  const whole = await options(t, usual) // In the same directory, emptied.
  await prepare(whole)
  t.same(
    rows.map(({ serial, ...rest }) => ({ id: ids.get(serial), ...rest })).sort(byClaim),
    (await read(whole.outDir)).statement.sort(byClaim),
  )
})

test('of the listed serials all rows go, of others none, and both are counted', async (t) => {
  const { listed, later, serialOf } = await keysFirst(t)
  const given = later({ only: await listed(['A1', 'A3']) })
  const { tables } = await prepare(given)
  t.match(tables['statement'], { rows: 2, notWanted: 1, unknownPersons: 0 })
  const rows = await rowsOf(join(given.outDir, 'tables/statement/*.parquet'))
  t.same(rows.map(({ serial, claim_key }) => [serial, claim_key]).sort(), [
    [serialOf('A1'), 'C1'],
    [serialOf('A1'), 'C3'],
  ])
})

test('rows that are left out are counted row by row, however many a person has', async (t) => {
  const lines = Array.from({ length: 5_000 }, (_, at) => `A${1 + (at % 2)},C${at},02,20190101`)
  const files = { ...usual, 't20.csv': `JID,MID,FORM,ST\n${lines.join('\n')}\nA9,C9,02,20190101\n` }
  const given = await options(t, files, { content: 'keys' })
  await prepare(given)
  const serials = join(given.outDir, 'serials.parquet')
  const one = (await rowsOf(serials)).find((row) => row['id'] === 'A2')?.['serial']
  const only = join(given.sourceDir, 'linked.csv')
  await writeFile(only, `serial\n${one}\n`)
  const outDir = join(given.sourceDir, 'tables')
  const { tables } = await prepare({ ...given, content: 'tables', serials, only, outDir })
  t.match(tables['statement'], { rows: 2_500, notWanted: 2_500, unknownPersons: 1 })
})

test('refuses a list that does not fit, and what is missing', async (t) => {
  const { listed, later } = await keysFirst(t)
  const refused = async (given: PrepareOptions, code: string, details = {}): Promise<void> => {
    const error: unknown = await prepare(given).catch((thrown: unknown) => thrown)
    t.ok(error instanceof Refusal, String(error))
    t.match(error, { code, details })
    t.notMatch(String(error) + JSON.stringify(error), /UNKNOWN|A1/, 'no value')
    t.notOk(existsSync(given.outDir), 'nothing is left')
  }
  const malformed = 'input-malformed'
  await refused(later({ only: await listed(['A1', 'nobody']) }), malformed, { serials: 1 })
  await refused(later({ only: await listed([]) }), malformed)
  const { serials: _, ...without } = later()
  await refused(without, 'option-unknown')
  await refused(later({ content: 'keys', only: await listed(['A1']) }), 'option-unknown')
  await refused(later({ content: 'keys' }), 'option-unknown')
  const other = await listed(['A1'])
  await writeFile(other, 'person\nA1\n')
  await refused(later({ only: other }), malformed)
  await refused(later({ serials: other }), malformed)
  await refused(later({ only: join(t.testdirName, 'nothing.csv') }), 'not-found')
})

function byClaim(one: Record<string, unknown>, other: Record<string, unknown>): number {
  return String(one['claim_key']).localeCompare(String(other['claim_key']))
}
