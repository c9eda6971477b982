/**
 * The classes of sensitive records that no release carries unless somebody decided so, as lists of codes: data, which a
 * clinician has to sign off. A record belongs to a class when one of its codes begins with one of the class's.
 */
import { z } from 'zod'
import sensitiveJson from './sensitive-classes.json' with { type: 'json' }

const prefixes = z.array(z.string().regex(/^[A-Z0-9]{1,12}$/)).max(5_000)

const said = z.string().min(1).max(200)
const inBoth = z.strictObject({ en: said, ko: said })

const sensitiveClassSchema = z.strictObject({
  title: inBoth,
  /** KCD, without dots: main and secondary diagnosis, cause of death. */
  diagnoses: prefixes,
  specialBenefits: prefixes,
  /** Ingredient codes that tell the disease. */
  drugs: prefixes,
  procedures: prefixes,
})

const sensitiveSchema = z.strictObject({
  name: z.string().min(1).max(63),
  version: z.string().min(1).max(40),
  /** Who stands for the lists. */
  status: inBoth,
  notes: z.array(z.string().max(1_000)).max(20),
  classes: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,62}$/), sensitiveClassSchema),
})

/** The lists of codes of one class. */
export type SensitiveClass = z.infer<typeof sensitiveClassSchema>

/** All classes, with the version of the lists. */
export type SensitiveLists = z.infer<typeof sensitiveSchema>

let loaded: SensitiveLists | undefined

/** The lists that come with the service. */
export function sensitiveLists(): SensitiveLists {
  loaded ??= sensitiveSchema.parse(sensitiveJson)
  return loaded
}
