import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import { z } from 'zod'
import { keySql, normalisedSql, padsOf } from '../../src/agency/recipe-sql.ts'
import { openAgencySession } from '../../src/agency/session.ts'
import { type Recipe, recipeSchema } from '../../src/core/recipe.ts'
import { keyOf, normalisedField, type RawPerson } from '../../src/core/recipe-key.ts'

const vectors = z
  .object({
    recipe: recipeSchema,
    persons: z.array(z.object({ fields: z.record(z.string(), z.string()) })),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/recipe.json', import.meta.url), 'utf8')))
const { recipe } = vectors
const fieldNames = Object.keys(recipe.fields)
const types = ['K1', 'K2', 'K3', 'K4', 'K5'] as const

test('SQL gives the keys of the reference for the vectors', async (t) => {
  await requireSame(
    t,
    vectors.persons.map((person) => person.fields),
  )
})

test('SQL gives the keys of the reference for any text', async (t) => {
  const code = fc.integer({ min: 1, max: 0xffff }).filter((unit) => unit < 0xd800 || unit > 0xdfff)
  const near = fc.constantFrom(
    ...' -.,/\t\u3000\u200b\uff21\uff41\uff10가힣각ㄱaZéẹı\u0307\u1100\u1161\u11a8İß9012',
  )
  const text = fc.oneof(
    fc.array(near, { maxLength: 16 }).map((characters) => characters.join('')),
    fc.array(code, { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
    fc.string(),
    fc
      .tuple(
        fc.integer({ min: 0, max: 991299 }),
        fc.integer({ min: 0, max: 9_999_999 }),
        fc.constantFrom('', '-', ' ', '–'),
      )
      .map(
        ([date, rest, between]) =>
          `${String(date).padStart(6, '0')}${between}${String(rest).padStart(7, '0')}`,
      ),
    fc
      .tuple(
        fc.integer({ min: 1799, max: 2101 }),
        fc.integer({ min: 0, max: 13 }),
        fc.integer({ min: 0, max: 32 }),
        fc.constantFrom('', '-', '.', '/'),
      )
      .map(([year, month, day, between]) =>
        [year, String(month).padStart(2, '0'), String(day).padStart(2, '0')].join(between),
      ),
    fc.constantFrom('M', 'F', 'm', 'ｆ', 'X', ''),
  )
  const person = fc.record(Object.fromEntries(fieldNames.map((field) => [field, text])))
  await requireSame(t, fc.sample(person, { numRuns: 4000, seed: 7 }))
  const half = fc.record({
    ...Object.fromEntries(fieldNames.map((field) => [field, text])),
    birthDate: fc.constantFrom('19900101', '2000-02-29'),
    sex: fc.constantFrom('M', 'F'),
  })
  await requireSame(t, fc.sample(half, { numRuns: 4000, seed: 8 }))
})

async function requireSame(t: Test, persons: readonly RawPerson[]): Promise<void> {
  const workDir = t.testdir({})
  const session = await openAgencySession({
    workDir,
    dirs: [],
    memoryMiB: 200,
    threads: 1,
    keepsOrder: true,
  })
  t.teardown(() => session.close())
  const path = join(workDir, 'persons.json')
  await writeFile(path, persons.map((person) => JSON.stringify(person)).join('\n'))
  const agenciesKey = randomBytes(32)
  const { ipad, opad } = padsOf(agenciesKey)
  await session.run('set variable ipad = $1', [ipad])
  await session.run('set variable opad = $1', [opad])
  const columns = fieldNames.map((field) => `${field}: 'VARCHAR'`).join(', ')
  const fields = Object.entries(recipe.fields).map(
    ([field, rule]) => `${normalisedSql(rule, field)} as n_${field}`,
  )
  const keys = types.map(
    (type) =>
      `${keySql(
        recipe,
        type,
        (recipe.keyTypes[type] ?? []).map((field) => `n_${field}`),
      )} as ${type}`,
  )
  const rows = await session.rows(
    `select *, ${keys.join(', ')} from (select ${fields.join(', ')} from read_json('${path}', format = 'newline_delimited', columns = {${columns}}))`,
  )
  t.equal(rows.length, persons.length)
  let different = 0
  rows.forEach((row, index) => {
    const person = persons[index] ?? {}
    for (const [field, rule] of Object.entries(recipe.fields))
      if ((normalisedField(rule, person[field] ?? '') ?? null) !== row[`n_${field}`]) {
        different++
        t.comment(
          field,
          JSON.stringify(person[field]),
          normalisedField(rule, person[field] ?? ''),
          row[`n_${field}`],
        )
      }
    for (const type of types)
      if ((keyOf(agenciesKey, recipe as Recipe, type, person) ?? null) !== row[type]) different++
  })
  t.equal(different, 0, 'every field and key equal')
}
