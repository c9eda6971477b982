/**
 * Makes the canary table under the agencies' key: the right keys of the dummy persons and the values that each known
 * mistake gives. Runs in the key ceremony, on the custodian's machine; the service only ever reads the result.
 */
import { createHash, createHmac } from 'node:crypto'
import { canaryPersons, placeholders } from './canary-persons.ts'
import type { CanaryTable, ContentMistake } from './canary-table.ts'
import { type KeyType, keyTypes, type Recipe } from './recipe.ts'
import type { RawPerson } from './recipe-key.ts'
import { keyMessage, keyOf, normalisedField, normalisedFields } from './recipe-key.ts'

/** Text as bytes in EUC-KR or CP949: the platform cannot, so the caller brings it. */
export type Encode = (text: string) => Uint8Array

type Made = { agenciesKey: Uint8Array; recipe: Recipe; type: KeyType; encodeKorean: Encode }

/** The table of `CanaryTable`. Contains no key and no secret, only digests of public persons under the key. */
export function canaryTableOf(
  agenciesKey: Uint8Array,
  recipe: Recipe,
  encodeKorean: Encode,
): CanaryTable {
  const types = keyTypes.filter((type) => recipe.keyTypes[type] !== undefined)
  const persons = canaryPersons(recipe).map((person) =>
    Object.fromEntries(
      types.map((type) => {
        const right = keyOf(agenciesKey, recipe, type, person) ?? null
        const made = { agenciesKey, recipe, type, encodeKorean }
        return [type, { right, mistakes: mistakesOf(made, person, right) }]
      }),
    ),
  )
  const quarantine = new Set(
    types.flatMap((type) => worthlessKeys({ agenciesKey, recipe, type, encodeKorean })),
  )
  const format = 'gyeol-canary-1'
  return { format, recipe: recipe.version, persons, quarantine: [...quarantine].sort() }
}

function mistakesOf(
  made: Made,
  person: RawPerson,
  right: string | null,
): Partial<Record<ContentMistake, string[]>> {
  const { agenciesKey, recipe, type, encodeKorean } = made
  const names = recipe.keyTypes[type] ?? []
  const raw = names.map((name) => person[name] ?? '')
  const fields = normalisedFields(recipe, type, person)
  const hmac = (message: Uint8Array) =>
    createHmac('sha256', agenciesKey).update(message).digest('hex')
  if (fields === undefined) {
    const keys = new Set([...keysOfText(made, raw), ...keysOfText(made, raw.map(withoutBlank))])
    for (const key of keysOfText(made, raw.map(digitsOf))) keys.add(key)
    return { 'empty-hashed': [...keys] }
  }
  const framed = (texts: readonly string[]) => keyMessage(recipe.version, type, texts)
  const hyphen = names.map((name, index) => {
    const rule = recipe.fields[name]
    return rule === 'registration-number' || rule === 'birth-date'
      ? (raw[index] ?? '')
      : (fields[index] ?? '')
  })
  const found: Record<ContentMistake, string[]> = {
    'hyphen-kept': plainForms(hyphen).concat(framed(hyphen)).map(hmac),
    'not-normalised': plainForms(raw).concat(framed(raw)).map(hmac),
    'trailing-newline': withNewline(fields)
      .flatMap((ended) => [...plainForms(ended), framed(ended)])
      .concat(['\n', '\r\n'].map((end) => Buffer.concat([framed(fields), Buffer.from(end)])))
      .map(hmac),
    decomposed: [framed(fields.map((field) => field.normalize('NFD')))].map(hmac),
    'euc-kr': [framedBytes(made, fields.map(encodeKorean))]
      .concat(plainForms(fields).map((plain) => Buffer.from(encodeKorean(plain.toString('utf8')))))
      .map(hmac),
    'without-lengths': plainForms(fields).map(hmac),
    'key-as-text': textsOfKey(agenciesKey).map((text) =>
      createHmac('sha256', text).update(framed(fields)).digest('hex'),
    ),
    ...saltedForms(agenciesKey, plainForms(fields).concat(framed(fields))),
    'empty-hashed': [],
  }
  return withoutRepeats(found, right)
}

/** The keys that worthless content gives: nothing hashed, and what stands in files for "not known". */
function worthlessKeys(made: Made): string[] {
  const { recipe, type } = made
  const names = recipe.keyTypes[type] ?? []
  const empty = names.map(() => '')
  const keys = [...keysOfText(made, empty), sha256(Buffer.alloc(0))]
  const [only, ...others] = names
  if (only === undefined || others.length > 0) return keys
  for (const placeholder of placeholders) {
    keys.push(...keysOfText(made, [placeholder]))
    const rule = recipe.fields[only]
    const normalised = rule === undefined ? undefined : normalisedField(rule, placeholder)
    if (normalised !== undefined) keys.push(...keysOfText(made, [normalised]))
  }
  return keys
}

/** Texts hashed as they are, with and without the frame of lengths. */
function keysOfText({ agenciesKey, recipe, type }: Made, texts: readonly string[]): string[] {
  return [keyMessage(recipe.version, type, texts), Buffer.from(texts.join(''))].map((message) =>
    createHmac('sha256', agenciesKey).update(message).digest('hex'),
  )
}

/** The fields one after the other, with the separators seen in the field. */
function plainForms(fields: readonly string[]): Buffer[] {
  const separators = fields.length === 1 ? [''] : ['', '|', ',', '_', ' ']
  return separators.map((separator) => Buffer.from(fields.join(separator)))
}

function saltedForms(
  agenciesKey: Uint8Array,
  messages: readonly Uint8Array[],
): Record<'unkeyed' | 'salt-before' | 'salt-after', string[]> {
  const salts = [agenciesKey, ...textsOfKey(agenciesKey)]
  const salted = (join: (salt: Uint8Array, message: Uint8Array) => Uint8Array[]) =>
    messages.flatMap((message) => salts.map((salt) => sha256(Buffer.concat(join(salt, message)))))
  return {
    unkeyed: messages.map(sha256),
    'salt-before': salted((salt, message) => [salt, message]),
    'salt-after': salted((salt, message) => [message, salt]),
  }
}

/** The last field, or every field, with a line end that a program read along. */
function withNewline(fields: readonly string[]): string[][] {
  const last = fields.length - 1
  return ['\n', '\r\n', '\r'].flatMap((end) => [
    fields.map((field, index) => (index === last ? field + end : field)),
    fields.map((field) => field + end),
  ])
}

function framedBytes({ recipe, type }: Made, fields: readonly Uint8Array[]): Buffer {
  const pieces: Uint8Array[] = [keyMessage(recipe.version, type, [])]
  for (const bytes of fields) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    pieces.push(length, bytes)
  }
  return Buffer.concat(pieces)
}

function textsOfKey(agenciesKey: Uint8Array): Buffer[] {
  const hex = Buffer.from(agenciesKey).toString('hex')
  const base64 = Buffer.from(agenciesKey).toString('base64')
  return [hex, hex.toUpperCase(), base64].map((text) => Buffer.from(text))
}

/** Each wrong key once, under the first mistake that gives it, and never the right one. */
function withoutRepeats(
  found: Record<ContentMistake, string[]>,
  right: string | null,
): Partial<Record<ContentMistake, string[]>> {
  const seen = new Set([right])
  const kept: Partial<Record<ContentMistake, string[]>> = {}
  for (const mistake of order) {
    const keys = found[mistake].filter((key) => !seen.has(key) && seen.add(key))
    if (keys.length > 0) kept[mistake] = keys
  }
  return kept
}

// The narrower a mistake, the earlier: a key that two of them give is named after the first.
const order = [
  'trailing-newline',
  'without-lengths',
  'hyphen-kept',
  'decomposed',
  'euc-kr',
  'not-normalised',
  'key-as-text',
  'unkeyed',
  'salt-before',
  'salt-after',
  'empty-hashed',
] as const satisfies readonly ContentMistake[]

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function withoutBlank(text: string): string {
  return text.replace(/\s/g, '')
}

function digitsOf(text: string): string {
  return text.replace(/[^0-9]/g, '')
}
