import { createHash, createHmac } from 'node:crypto'
import iconv from 'iconv-lite'
import { test } from 'tap'
import { canaryTableOf } from '../../src/core/canary-making.ts'
import { canaryPersons, placeholders } from '../../src/core/canary-persons.ts'
import { answerCanaries, canaryTableSchema, quarantinedKeys } from '../../src/core/canary-table.ts'
import { type KeyType, koreanRecipe, recipeSchema } from '../../src/core/recipe.ts'
import { keyMessage, keyOf, normalisedFields } from '../../src/core/recipe-key.ts'

const agenciesKey = Buffer.from([...Array(32).keys()].map((byte) => byte * 7 + 1))
const encodeKorean = (text: string) => iconv.encode(text, 'cp949')
const table = canaryTableOf(agenciesKey, koreanRecipe, encodeKorean)
const persons = canaryPersons(koreanRecipe)
const types: KeyType[] = ['K1', 'K2', 'K4']

function submission(keyFor: (type: KeyType, index: number) => string | null) {
  const entries = persons.map((_, index) => [
    String(index + 1),
    Object.fromEntries(types.map((type) => [type, keyFor(type, index)])),
  ])
  return { keys: Object.fromEntries(entries) }
}

const rightKey = (type: KeyType, index: number): string | null =>
  keyOf(agenciesKey, koreanRecipe, type, persons[index] ?? {}) ?? null
const fieldsOf = (type: KeyType, index: number) =>
  normalisedFields(koreanRecipe, type, persons[index] ?? {})
const hmac = (message: Uint8Array | string) =>
  createHmac('sha256', agenciesKey).update(message).digest('hex')

test('answers right to an agency that follows the recipe', async (t) => {
  t.same(canaryTableSchema.parse(JSON.parse(JSON.stringify(table))), table)
  const answer = answerCanaries(table, submission(rightKey))
  t.equal(answer.isRight, true)
  t.equal(answer.answers.length, 30)
})

test('names the mistake of each key', async (t) => {
  const forms: [string, (type: KeyType, index: number) => string | undefined, number][] = [
    ['upper-case', (type, index) => rightKey(type, index)?.toUpperCase(), 27],
    ['blank-around', (type, index) => `${rightKey(type, index) ?? ''}\n`, 27],
    ['base64', (type, index) => base64(rightKey(type, index)), 27],
    ['trailing-newline', framed((fields) => fields.map((field) => `${field}\n`)), 27],
    ['without-lengths', (type, index) => hmacOf(fieldsOf(type, index)?.join('|')), 27],
    ['unkeyed', (type, index) => sha256(fieldsOf(type, index)?.join('')), 27],
    ['salt-before', salted((salt, text) => salt + text), 27],
    ['salt-after', salted((salt, text) => text + salt), 27],
    ['key-as-text', keyAsText, 27],
    ['hyphen-kept', rawNumber, 9],
    ['euc-kr', korean, 5],
  ]
  for (const [mistake, keyFor, countMin] of forms) {
    const answer = answerCanaries(
      table,
      submission((type, i) => keyFor(type, i) ?? null),
    )
    const named = answer.answers.filter((one) => one.mistakes.some((name) => name === mistake))
    t.ok(named.length >= countMin, `${mistake}: ${named.length}`)
    t.ok(named.every((one) => one.verdict === 'mistake'))
    t.equal(answer.isRight, false)
  }
})

test('another agencies key is unknown, a key left out is missing, an empty one hashed is told', async (t) => {
  const other = submission(
    (type, index) => keyOf(Buffer.alloc(32), koreanRecipe, type, persons[index] ?? {}) ?? null,
  )
  const verdicts = answerCanaries(table, other).answers.map((one) => one.verdict)
  t.equal(verdicts.filter((verdict) => verdict === 'unknown').length, 27)
  t.ok(answerCanaries(table, { keys: {} }, types).answers.every((one) => one.verdict === 'missing'))
  const hashed = submission((type, index) =>
    index === 9 ? hmac(keyMessage('gyeol-1', type, [''])) : rightKey(type, index),
  )
  t.equal(answerCanaries(table, hashed).isRight, false)
  const zeros = submission((type, index) =>
    index === 9 ? hmac(keyMessage('gyeol-1', type, ['0000000000000'])) : rightKey(type, index),
  )
  const told = answerCanaries(table, zeros, ['K1']).answers.at(-1)
  t.same(told?.mistakes, ['empty-hashed'])
})

test('the dummy persons cannot be anyone: their numbers fail the check digit', async (t) => {
  for (const person of persons.slice(0, 9)) {
    const digits = [...(person['registrationNumber'] ?? '').replace('-', '')].map(Number)
    const weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
    const sum = weights.reduce((total, weight, index) => total + weight * (digits[index] ?? 0), 0)
    t.equal(digits.length, 13)
    t.not((11 - (sum % 11)) % 10, digits[12])
    t.not((13 - (sum % 11)) % 10, digits[12], 'nor that of foreigners')
  }
})

test('knows the keys of nothing and of placeholders, whatever the recipe', async (t) => {
  const known = new Set(quarantinedKeys(table))
  t.ok(known.has(hmac(keyMessage('gyeol-1', 'K1', ['']))))
  t.ok(known.has(hmac('')))
  t.ok(known.has(createHash('sha256').digest('hex')))
  for (const placeholder of placeholders)
    t.ok(known.has(hmac(keyMessage('gyeol-1', 'K1', [placeholder]))))
  t.ok(
    known.has(
      keyOf(agenciesKey, koreanRecipe, 'K1', { registrationNumber: '111111-1111118' }) ?? '',
    ),
  )
  t.notOk(persons.some((_, index) => types.some((type) => known.has(rightKey(type, index) ?? ''))))
  const recipe = recipeSchema.parse({
    version: 'gyeol-1',
    fields: { ssn: 'identifier' },
    keyTypes: { K1: ['ssn'] },
  })
  const generic = canaryTableOf(agenciesKey, recipe, encodeKorean)
  t.ok(generic.quarantine.includes(keyOf(agenciesKey, recipe, 'K1', { ssn: '999-99-9999' }) ?? ''))
  t.match(generic.persons[0]?.K1?.right, /^[0-9a-f]{64}$/)
  t.equal(generic.persons[9]?.K1?.right, null)
})

function base64(hex: string | null): string | undefined {
  return hex === null ? undefined : Buffer.from(hex, 'hex').toString('base64')
}

function hmacOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : hmac(text)
}

function sha256(text: string | undefined): string | undefined {
  return text === undefined ? undefined : createHash('sha256').update(text).digest('hex')
}

function framed(change: (fields: string[]) => string[]) {
  return (type: KeyType, index: number) => {
    const fields = fieldsOf(type, index)
    return fields && hmac(keyMessage('gyeol-1', type, change(fields)))
  }
}

function salted(join: (salt: string, text: string) => string) {
  return (type: KeyType, index: number) => {
    const fields = fieldsOf(type, index)
    return fields && sha256(join(agenciesKey.toString('hex'), fields.join('')))
  }
}

function keyAsText(type: KeyType, index: number): string | undefined {
  const fields = fieldsOf(type, index)
  const key = agenciesKey.toString('hex')
  return (
    fields &&
    createHmac('sha256', key)
      .update(keyMessage('gyeol-1', type, fields))
      .digest('hex')
  )
}

function rawNumber(type: KeyType, index: number): string | undefined {
  const raw = persons[index]?.['registrationNumber'] ?? ''
  return type === 'K1' && index < 9 ? hmac(keyMessage('gyeol-1', type, [raw])) : undefined
}

function korean(type: KeyType, index: number): string | undefined {
  const fields = type === 'K2' ? fieldsOf(type, index) : undefined
  if (fields === undefined) return undefined
  const pieces = ['gyeol-1', type, ...fields].map((text) => {
    const bytes = encodeKorean(text)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  })
  return hmac(Buffer.concat(pieces))
}
