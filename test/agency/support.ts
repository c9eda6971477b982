/** A small agency on disk, and its deliveries read back. */

import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import type { Test } from 'tap'
import { prepare } from '../../src/agency/prepare.ts'
import type { PrepareOptions } from '../../src/agency/prepare-options.ts'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { Refusal } from '../../src/core/errors.ts'

import { koreanRecipe } from '../../src/core/recipe.ts'
import { keyOf } from '../../src/core/recipe-key.ts'

export const agenciesKey = Buffer.alloc(32, 7)
export const personsCsv = `JID,RRN,NM,BIRTH,SEX
A1,900101-1000002,가 나다,19900101,1
A2,8512312000004,똠방각,1985-12-31,2
A3,,kim test,20000230,9
`
export const statementCsv = `JID,MID,FORM,ST
A1,C1,02,20190101
A2,C2,007,20190202
A1,C3,,20190303
`
export const personFiles = {
  files: ['persons.csv'],
  id: 'JID',
  fields: { registrationNumber: 'RRN', name: 'NM', birthDate: 'BIRTH', sex: 'SEX' },
  sexCodes: { 1: 'M', 2: 'F' },
}
export const statementFiles = { files: ['t20.csv'], person: 'JID', columns: { claim_key: 'MID' } }
export const wanted = {
  recipe: koreanRecipe,
  keyTypes: ['K1' as const, 'K2' as const, 'K4' as const],
  tables: {
    statement: {
      columns: { claim_key: { required: true }, FORM: {}, ST: { required: true }, DOSE: {} },
    },
  },
}

export type Files = Record<string, string | Buffer>
export const usual: Files = { 'persons.csv': personsCsv, 't20.csv': statementCsv }

export async function options(
  t: Test,
  files: Files,
  change: { persons?: object; statement?: object | object[] } & Partial<PrepareOptions> = {},
): Promise<PrepareOptions> {
  const { persons, statement, ...others } = change
  const sourceDir = t.testdir({})
  for (const [name, text] of Object.entries(files)) await writeFile(join(sourceDir, name), text)
  const description = sourceDescriptionSchema.parse({
    persons: { ...personFiles, ...persons },
    tables: {
      statement: Array.isArray(statement) ? statement : { ...statementFiles, ...statement },
    },
  })
  const outDir = join(sourceDir, 'delivery')
  return {
    description,
    sourceDir,
    outDir,
    agenciesKey,
    recipe: wanted,
    wave: 1,
    threads: 1,
    ...others,
  }
}

export async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(`select * from read_parquet('${path}')`)
  const rows = reader.getRowObjectsJS()
  instance.closeSync()
  return rows
}

/** The delivery with ids in place of serials, as agencies alone can read it. */
export async function read(outDir: string) {
  const serials = await rowsOf(join(outDir, 'serials.parquet'))
  const idOf = new Map(serials.map((row) => [row['serial'], String(row['id'])]))
  const named = (rows: Record<string, unknown>[]) =>
    rows
      .map(({ serial, ...rest }) => ({ id: idOf.get(serial) ?? '', ...rest }))
      .sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
  return {
    serials: idOf,
    keys: named(await rowsOf(join(outDir, 'keys/*.parquet'))),
    statement: named(await rowsOf(join(outDir, 'tables/statement/*.parquet'))),
  }
}

export async function requireRefusal(
  t: Test,
  given: PrepareOptions,
  expected: { code: string; details: Record<string, string | number> },
): Promise<void> {
  const error: unknown = await prepare(given).catch((thrown: unknown) => thrown)
  t.ok(error instanceof Refusal, String(error))
  t.match(error, expected)
  t.notMatch(String(error) + JSON.stringify(error), /900101|가|C2/, 'no value')
  const left = await readdir(given.sourceDir)
  t.notOk(
    left.some((name) => name.startsWith('delivery')),
    'nothing is left',
  )
}

/** The keys that the reference gives. */
export function keysOf(person: Record<string, string>) {
  const key = (type: 'K1' | 'K2' | 'K4') => keyOf(agenciesKey, koreanRecipe, type, person)
  return { K1: key('K1'), K2: key('K2'), K4: key('K4') }
}
