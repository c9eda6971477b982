/**
 * The recipe of keys: which fields of a person make which key, and by which rule each field is brought into its one
 * form. A recipe is data of the project; the rules are here. KOREA.md §3.
 *
 * An empty or invalid field makes the key EMPTY. There is no hash of nothing: it would be equal for everyone who lacks
 * the field, and would link them all to one person.
 */
import { z } from 'zod'

/** Key types a recipe may define; LINKAGE.md gives each its role. */
export const keyTypes = ['K1', 'K2', 'K3', 'K4', 'K5'] as const
export type KeyType = (typeof keyTypes)[number]

const fieldName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/)

/**
 * How a field is brought into its one form:
 *
 * - `registration-number`: a Korean resident's or foreigner's number, 13 digits.
 * - `name`: text without blanks, in capitals.
 * - `name-tokens`: a name whose parts may come in any order: the parts as in `name`, sorted.
 * - `birth-date`: YYYYMMDD.
 * - `sex`: M or F.
 * - `identifier`: any text that is not empty, without blanks, letters as they are.
 */
const fieldRuleSchema = z.enum([
  'registration-number',
  'name',
  'name-tokens',
  'birth-date',
  'sex',
  'identifier',
])
export type FieldRule = z.infer<typeof fieldRuleSchema>

const koreanFields: Record<string, FieldRule> = {
  registrationNumber: 'registration-number',
  name: 'name',
  birthDate: 'birth-date',
  sex: 'sex',
}

/**
 * A recipe as a project states it: fields with their rules, and for each key type the fields of its message in order.
 * Without `fields` the Korean four are meant: registrationNumber, name, birthDate, sex.
 */
export const recipeSchema = z
  .strictObject({
    version: z.literal('gyeol-1'),
    fields: z.record(fieldName, fieldRuleSchema).default(koreanFields),
    keyTypes: z.partialRecord(z.enum(keyTypes), z.array(fieldName).min(1).max(8)),
  })
  .superRefine((recipe, context) => {
    const types = Object.entries(recipe.keyTypes)
    if (types.length === 0)
      context.addIssue({ code: 'custom', message: 'a recipe has at least one key type' })
    if (Object.keys(recipe.fields).length > 32)
      context.addIssue({ code: 'custom', message: 'a recipe has at most 32 fields' })
    for (const [type, fields] of types) {
      if (fields.every((field) => Object.hasOwn(recipe.fields, field))) continue
      const path = ['keyTypes', type]
      context.addIssue({ code: 'custom', path, message: 'a field of the key has no rule' })
    }
  })
export type Recipe = z.infer<typeof recipeSchema>

/** The default: K1 registration number, K2 name + birth date + sex, K4 birth date + sex as a veto. */
export const koreanRecipe: Recipe = recipeSchema.parse({
  version: 'gyeol-1',
  keyTypes: {
    K1: ['registrationNumber'],
    K2: ['name', 'birthDate', 'sex'],
    K4: ['birthDate', 'sex'],
  },
})
