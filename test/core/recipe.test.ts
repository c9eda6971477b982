import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { koreanRecipe, recipeSchema } from '../../src/core/recipe.ts'
import { keyMessage, keyOf, normalisedField } from '../../src/core/recipe-key.ts'
import { capitals, halfWidth } from '../../src/core/recipe-text.ts'

const vectorsSchema = z.object({
  agenciesKey: z.string(),
  recipe: recipeSchema,
  persons: z.array(
    z.object({
      note: z.string(),
      fields: z.record(z.string(), z.string()),
      normalised: z.record(z.string(), z.string().nullable()),
      keys: z.partialRecord(z.enum(['K1', 'K2', 'K3', 'K4', 'K5']), z.string().nullable()),
    }),
  ),
})
const vectors = vectorsSchema.parse(
  JSON.parse(readFileSync(new URL('../vectors/recipe.json', import.meta.url), 'utf8')),
)
const agenciesKey = Buffer.from(vectors.agenciesKey, 'hex')
const rules = ['registration-number', 'name', 'name-tokens', 'birth-date', 'sex'] as const

test('gives the keys that an independent script gives', async (t) => {
  for (const person of vectors.persons) {
    for (const [field, rule] of Object.entries(vectors.recipe.fields)) {
      const got = normalisedField(rule, person.fields[field] ?? '')
      t.equal(got ?? null, person.normalised[field], `${person.note}: ${field}`)
    }
    for (const type of ['K1', 'K2', 'K3', 'K4', 'K5'] as const) {
      const got = keyOf(agenciesKey, vectors.recipe, type, person.fields)
      t.equal(got ?? null, person.keys[type], `${person.note}: ${type}`)
    }
  }
})

test('a key is 64 lower-case hex or empty, never the hash of nothing', async (t) => {
  t.equal(keyOf(agenciesKey, koreanRecipe, 'K1', {}), undefined)
  t.equal(keyOf(agenciesKey, koreanRecipe, 'K1', { registrationNumber: ' - ' }), undefined)
  t.equal(keyOf(agenciesKey, koreanRecipe, 'K2', { birthDate: '19900101', sex: 'M' }), undefined)
  t.equal(keyOf(agenciesKey, koreanRecipe, 'K3', { name: 'x' }), undefined)
  t.match(
    keyOf(agenciesKey, koreanRecipe, 'K4', { birthDate: '19900101', sex: 'M' }),
    /^[0-9a-f]{64}$/,
  )
})

test('normalising twice changes nothing', async () => {
  for (const rule of rules) {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const once = normalisedField(rule, text)
        return once === undefined || normalisedField(rule, once) === once
      }),
    )
  }
})

test('no two lists of fields share a message', async (t) => {
  const lists = fc.array(fc.string(), { maxLength: 4 })
  fc.assert(
    fc.property(lists, lists, (one, other) => {
      const same = keyMessage('gyeol-1', 'K2', one).equals(keyMessage('gyeol-1', 'K2', other))
      return same === (JSON.stringify(one) === JSON.stringify(other))
    }),
  )
  t.equal(
    keyMessage('gyeol-1', 'K1', ['가']).toString('hex'),
    '000000076779656f6c2d31000000024b3100000003eab080',
  )
})

test('the folding tables name every character once and agree with Unicode', async (t) => {
  for (const folding of [halfWidth, capitals]) {
    t.equal(new Set(folding.from).size, folding.from.length)
    t.ok(folding.to.length <= folding.from.length)
  }
  t.equal(capitals.from.toUpperCase(), capitals.to)
  t.match(
    halfWidth.from.slice(halfWidth.to.length),
    /^[\p{White_Space}\p{Default_Ignorable_Code_Point}]+$/u,
  )
  t.notMatch('ABCxyz가-', new RegExp(`[${halfWidth.from.slice(halfWidth.to.length)}]`, 'u'))
})

test('a recipe of other sources is data', async (t) => {
  const febrl = recipeSchema.parse({
    version: 'gyeol-1',
    fields: { socSecId: 'identifier', given: 'name', surname: 'name', birthDate: 'birth-date' },
    keyTypes: { K1: ['socSecId'], K2: ['given', 'surname', 'birthDate'] },
  })
  t.match(keyOf(agenciesKey, febrl, 'K1', { socSecId: '6988048' }), /^[0-9a-f]{64}$/)
  t.equal(
    keyOf(agenciesKey, febrl, 'K2', { given: '', surname: 'x', birthDate: '19990219' }),
    undefined,
  )
  const same = keyOf(agenciesKey, febrl, 'K1', { socSecId: '\uff16988048 ' })
  t.equal(same, keyOf(agenciesKey, febrl, 'K1', { socSecId: '6988048' }))
})

test('refuses a recipe with a field without a rule, an unknown key or no key', async (t) => {
  const version = 'gyeol-1'
  t.notOk(recipeSchema.safeParse({ version, keyTypes: {} }).success)
  t.notOk(recipeSchema.safeParse({ version, keyTypes: { K1: ['toString'] } }).success)
  t.notOk(recipeSchema.safeParse({ version, keyTypes: { K9: ['name'] } }).success)
  t.notOk(recipeSchema.safeParse({ version: 'gyeol-2', keyTypes: { K1: ['name'] } }).success)
  t.notOk(recipeSchema.safeParse({ version, keyTypes: { K1: ['name'] }, salt: 'x' }).success)
})
