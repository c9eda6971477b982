/**
 * How an agency describes its own files, as JSON beside them. Nothing is guessed: not the encoding, not a type, not a
 * column. A layout that changed between years is a second group of files of the same table, with its own columns.
 */
import { z } from 'zod'

// DuckDB would read these in a path as a pattern for several files.
const path = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^*?[\]{}\0]+$/, 'a file name without * ? [ ] { }')
const sourceColumn = z.string().min(1).max(200)
const fieldName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/)

const files = {
  /** Relative to the directory of the description. */
  files: z.array(path).min(1).max(10_000),
  format: z.enum(['csv', 'parquet']).default('csv'),
  encoding: z.enum(['utf-8', 'cp949']).default('utf-8'),
  delimiter: z
    .string()
    .regex(/^[^"\r\n\0]{1,4}$/)
    .default(','),
  /** The names of the columns in order, for files without a header line. */
  header: z.array(sourceColumn).min(1).max(10_000).optional(),
  /** Takes blanks off both ends of every cell: for exports of fixed width. */
  trim: z.boolean().default(false),
}

const personsSchema = z.strictObject({
  ...files,
  /** The agency's own id of a person; it may be the registration number itself. */
  id: sourceColumn,
  /** Field of the recipe → column, or columns that are joined with a blank (surname and given name). */
  fields: z.record(fieldName, sourceColumn.or(z.array(sourceColumn).min(1).max(8))),
  /** The agency's code of a sex → M or F. Codes that are not named are not known. */
  sexCodes: z.record(z.string().max(20), z.enum(['M', 'F'])).default({}),
})
export type PersonFiles = z.infer<typeof personsSchema>

const tableFilesSchema = z.strictObject({
  ...files,
  /** The column that holds the person's id. It is replaced by the serial and goes nowhere. */
  person: sourceColumn,
  /** Column of the catalogue → column of these files; null if this layout lacks it. Others have the same name. */
  columns: z.record(z.string().max(63), sourceColumn.nullable()).default({}),
  /**
   * Columns of the catalogue in which a run of 13 digits is no registration number (a claim number, say). The agency
   * answers for it: these columns are not searched.
   */
  notIdentifying: z.array(z.string().max(63)).max(1000).default([]),
})
export type TableFiles = z.infer<typeof tableFilesSchema>

const noticesSchema = z.strictObject({
  ...files,
  /** The columns of the number that was and of the number that took its place. */
  fields: z.strictObject({
    oldRegistrationNumber: sourceColumn,
    newRegistrationNumber: sourceColumn,
  }),
})
export type NoticeFiles = z.infer<typeof noticesSchema>

const oneOrMore = <T extends z.ZodType>(schema: T) =>
  z.union([schema.transform((one) => [one]), z.array(schema).min(1).max(1000)])

export const sourceDescriptionSchema = z.strictObject({
  persons: oneOrMore(personsSchema),
  tables: z.record(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/), oneOrMore(tableFilesSchema)),
  /** Changed numbers, for an agency that knows of them. */
  notices: noticesSchema.optional(),
})
export type SourceDescription = z.infer<typeof sourceDescriptionSchema>
