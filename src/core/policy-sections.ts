/**
 * The parts of a policy that are about persons rather than columns: who is in it, how they are measured, what is hidden
 * from whom cannot be hidden otherwise, and which sensitive classes somebody decided to let out.
 */
import { z } from 'zod'

const columnName = z.string().max(63)
const columnRef = { table: columnName, column: columnName }
const share = z.number().min(0).max(1)
const k = z.int().min(2).max(10_000)
const day = z.iso.date()
const name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/)

/** Who is in the release. Default: everybody in the cohort. */
export const personsSchema = z.strictObject({
  /** Persons with a row whose code begins with one of these, dots not counted. */
  include: z
    .strictObject({
      ...columnRef,
      startsWith: z
        .array(z.string().regex(/^[A-Za-z0-9]{1,20}$/))
        .min(1)
        .max(1_000),
    })
    .exactOptional(),
  /** A share of them, drawn by the seed: the same persons whenever it is drawn again. */
  sample: z
    .strictObject({ rate: z.number().gt(0).max(1), seed: z.string().min(1).max(64) })
    .exactOptional(),
})

/**
 * A column that stands at dates known to everybody (first case, start of vaccination, end of study): under `shift` it is
 * removed whole, or shifted with the rest; then days before `from` or after `to`, which only a shift can have made, become
 * missing.
 */
export const anchorSchema = z.strictObject({
  ...columnRef,
  action: z.enum(['remove', 'shift']),
  from: day.exactOptional(),
  to: day.exactOptional(),
})

/** What somebody decided about a class that is excluded by default. */
export const inclusionSchema = z.strictObject({
  class: name,
  /** Where the decision is written: board and number. */
  decision: z.string().min(1).max(200),
  decidedOn: day,
})

/** One column as the person is known by it: `persons` and `diagnosis_month` name the table of persons. */
const quasiIdentifierSchema = z.strictObject({
  ...columnRef,
  /** Of several values of a person: all of them together (default), or the least. */
  take: z.enum(['all', 'least']).default('all'),
})

/** How the persons of a release are measured, and what is suppressed. RELEASE.md, "Measuring". */
export const measuresSchema = z.strictObject({
  quasiIdentifiers: z.array(quasiIdentifierSchema).min(1).max(24),
  k,
  missing: z.enum(['own-value', 'matches-all']).default('own-value'),
  /** Columns of which a class may not tell too much. Bounds are optional: without one they are measured only. */
  sensitive: z
    .array(
      z.strictObject({
        ...columnRef,
        distinctLMin: z.int().min(1).max(1_000).exactOptional(),
        entropyLMin: z.number().min(1).max(1_000).exactOptional(),
        tMax: share.exactOptional(),
      }),
    )
    .max(20)
    .default([]),
  /** Columns of codes whose pairs are measured over persons (k^m, m = 2). */
  sets: z.array(z.strictObject(columnRef)).max(5).default([]),
  /** Cells first, records last. Without it, one person in a class below k refuses the build. */
  suppression: z
    .strictObject({
      /** Quasi-identifiers that may lose cells, the least needed first. */
      cells: z.array(z.strictObject(columnRef)).max(24).default([]),
      cellsMaxShare: share,
      recordsMaxShare: share,
    })
    .exactOptional(),
  /** Fewest persons by which a release may differ from an earlier one of its domain. Default: k. */
  differenceMin: k.exactOptional(),
})

/**
 * A table of counts: of persons, each in one cell by what the release says of them, or of rows of one table. It leaves with
 * its margins, small cells hidden. Kind B only.
 */
const countTableSchema = z.strictObject({
  count: z.enum(['persons', 'rows']).default('persons'),
  rows: quasiIdentifierSchema,
  columns: quasiIdentifierSchema,
  /** Fewest persons of a cell that is shown. */
  threshold: k.default(10),
  /** Values whose row or column is below the threshold are counted together as "(other)", instead of refusing the table. */
  pool: z.boolean().default(false),
})

/** The tables of counts of a policy, by name. */
export const countTablesSchema = z
  .record(name, countTableSchema)
  .refine((tables) => Object.keys(tables).length <= 50, 'at most 50 tables of counts')

/** A table of counts as a policy asks for it. */
export type CountTable = z.infer<typeof countTableSchema>

/** Measures of a policy. */
export type PolicyMeasures = z.infer<typeof measuresSchema>

/** Generalisation hierarchies, carried by the policy so that its digest covers them. */
export const hierarchiesSchema = z.record(
  name,
  z.strictObject({
    csv: z.string().min(1).max(2_000_000),
    delimiter: z.enum([';', ',', '\t']).default(';'),
  }),
)
