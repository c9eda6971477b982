/** The disclosure report of a release as those read it who judge it: what is told, under which policy, in whose words. */
import { z } from 'zod'
import { releaseStates } from './states.ts'
import { toldDisclosureSchema, toldUtilitySchema } from './told-disclosure.ts'

const name = z.string().max(200)
const place = { table: name, column: name }
const title = z.strictObject({ en: z.string(), ko: z.string() })

/** The document. */
export const shownDisclosureSchema = z.strictObject({
  format: z.literal('gyeol-shown-disclosure-1'),
  release: z.uuid(),
  project: z.strictObject({ id: z.uuid(), name: z.string() }),
  state: z.enum(releaseStates),
  builtAt: z.iso.datetime().nullable(),
  recipient: z.string(),
  purpose: z.string(),
  place: z.string(),
  validUntil: z.iso.datetime().nullable(),
  policy: z.strictObject({
    name: z.string(),
    version: z.string(),
    type: z.enum(['A', 'B']),
    sha256: z.string(),
    dates: z.string(),
  }),
  /** What the policy asks to be measured; null: nothing. */
  measures: z
    .strictObject({
      k: z.int(),
      missing: z.enum(['own-value', 'matches-all']),
      /** With the rule that each leaves by. */
      quasiIdentifiers: z.array(z.strictObject({ ...place, rule: z.string() })),
      sensitive: z.array(
        z.strictObject({
          ...place,
          distinctLMin: z.number().nullable(),
          entropyLMin: z.number().nullable(),
          tMax: z.number().nullable(),
        }),
      ),
      recordsMaxShare: z.number().nullable(),
      cellsMaxShare: z.number().nullable(),
    })
    .nullable(),
  sensitiveClasses: z.strictObject({
    version: z.string(),
    status: title,
    leftOut: z.array(name),
    included: z.array(z.strictObject({ class: name, decision: z.string(), decidedOn: z.string() })),
  }),
  /** `table`, `table.column` and sensitive class → its title. */
  titles: z.record(name, title),
  /** Null until it is measured, and where a release is of counts alone. */
  told: toldDisclosureSchema.nullable(),
  /** Null until it is built. */
  utility: toldUtilitySchema.nullable(),
})
export type ShownDisclosure = z.infer<typeof shownDisclosureSchema>
