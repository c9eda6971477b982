/**
 * The canary: an agency computes the keys of the dummy persons and learns whether its own program follows the recipe, and
 * if not, which mistake it makes. The service has no agencies' key, so it answers from a table that the key ceremony made
 * (`canaryTableOf` in canary-making.ts). KOREA.md §3.
 */
import { z } from 'zod'
import { canaryCount } from './canary-persons.ts'
import { type KeyType, keyTypes } from './recipe.ts'

/** What the ceremony's table can recognise besides the right key. The names are stable and shown to agencies. */
const mistakeSchema = z.enum([
  'hyphen-kept',
  'not-normalised',
  'trailing-newline',
  'decomposed',
  'euc-kr',
  'without-lengths',
  'key-as-text',
  'unkeyed',
  'salt-before',
  'salt-after',
  'empty-hashed',
])
export type ContentMistake = z.infer<typeof mistakeSchema>

const hexKey = z.string().regex(/^[0-9a-f]{64}$/)

const expectedSchema = z.strictObject({
  right: hexKey.nullable(), // null: this person's key must be empty.
  mistakes: z.partialRecord(mistakeSchema, z.array(hexKey).max(64)),
})

/** The only thing of a ceremony that goes to the service: digests under a key that the service does not get. */
export const canaryTableSchema = z.strictObject({
  format: z.literal('gyeol-canary-1'),
  recipe: z.literal('gyeol-1'),
  persons: z.array(z.partialRecord(z.enum(keyTypes), expectedSchema)).length(canaryCount),
  quarantine: z.array(hexKey).max(1000), // Keys of empty and of placeholders, under every key type.
})
export type CanaryTable = z.infer<typeof canaryTableSchema>

const submittedKeys = z.partialRecord(z.enum(keyTypes), z.string().max(200).nullable())

/**
 * What an agency sends: the number of the dummy person, from "1", to its keys, as they came out of its program: wrong
 * forms are the point. An empty key is null or the empty text.
 */
export const canarySubmissionSchema = z.strictObject({
  keys: z.record(z.string().regex(/^([1-9]|10)$/), submittedKeys),
})
export type CanarySubmission = z.infer<typeof canarySubmissionSchema>

const verdictSchema = z.enum(['right', 'mistake', 'unknown', 'missing'])
const anyMistakeSchema = z.enum([...mistakeSchema.options, 'upper-case', 'base64', 'blank-around'])

/** The answer: `isRight` only if every key of every dummy person is. `unknown` most often means another agencies' key. */
export const canaryAnswersSchema = z.strictObject({
  isRight: z.boolean(),
  answers: z.array(
    z.strictObject({
      number: z.int().min(1).max(canaryCount),
      keyType: z.enum(keyTypes),
      verdict: verdictSchema,
      mistakes: z.array(anyMistakeSchema),
    }),
  ),
})
export type CanaryAnswers = z.infer<typeof canaryAnswersSchema>

type Answer = CanaryAnswers['answers'][number]

/**
 * Which keys are right and which known mistakes the others are.
 *
 * @param types - the key types to look at; a missing one is told as `missing`. By default those that were submitted for
 *   any of the dummy persons: an agency sends only some of the project's key types.
 */
export function answerCanaries(
  table: CanaryTable,
  submission: CanarySubmission,
  types: readonly KeyType[] = submittedTypes(submission),
): CanaryAnswers {
  const answers = table.persons.flatMap((person, index) =>
    types.map((keyType): Answer => {
      const number = index + 1
      const given = submission.keys[String(number)]?.[keyType]
      const expected = person[keyType]
      if (given === undefined || expected === undefined)
        return { number, keyType, verdict: 'missing', mistakes: [] }
      return { number, keyType, ...verdictOn(expected, given ?? '') }
    }),
  )
  const isRight = answers.length > 0 && answers.every((answer) => answer.verdict === 'right')
  return { isRight, answers }
}

/** The keys of nothing and of placeholders, under every key type: wherever one arrives, it is set aside. */
export function quarantinedKeys(table: CanaryTable): string[] {
  return table.quarantine
}

function submittedTypes(submission: CanarySubmission): KeyType[] {
  const persons = Object.values(submission.keys)
  return keyTypes.filter((type) => persons.some((keys) => keys[type] !== undefined))
}

function verdictOn(
  expected: z.infer<typeof expectedSchema>,
  given: string,
): Pick<Answer, 'verdict' | 'mistakes'> {
  if (given === (expected.right ?? '')) return { verdict: 'right', mistakes: [] }
  const { key, mistakes } = hexOf(given)
  for (const [mistake, keys] of Object.entries(expected.mistakes)) {
    if (keys.includes(key)) mistakes.push(mistakeSchema.parse(mistake))
  }
  const isKnown = key === expected.right || mistakes.some((one) => one in expected.mistakes)
  return isKnown ? { verdict: 'mistake', mistakes } : { verdict: 'unknown', mistakes: [] }
}

/** The key in the form of the recipe, and what had to be done to bring it there. */
function hexOf(given: string): { key: string; mistakes: Answer['mistakes'] } {
  const mistakes: Answer['mistakes'] = []
  const text = given.trim()
  if (text !== given) mistakes.push('blank-around')
  if (/^[0-9A-Fa-f]{64}$/.test(text)) {
    const key = text.toLowerCase()
    if (key !== text) mistakes.push('upper-case')
    return { key, mistakes }
  }
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) {
    mistakes.push('base64')
    return { key: Buffer.from(text, 'base64').toString('hex'), mistakes }
  }
  return { key: text, mistakes }
}
