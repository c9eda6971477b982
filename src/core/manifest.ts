/**
 * What travels between an agency's tool and the service: the manifest of a delivery, and the project's recipe as the
 * service tells it. Both sides read the schemas here.
 */
import { z } from 'zod'
import { keyTypes, recipeSchema } from './recipe.ts'

const tableName = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/)
const columnName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/)

/** The table name of parts of notices: pairs of keys, old_K1 and new_K1. No table of a catalogue can have it. */
export const noticesTable = '#notices'

/** Whether parts of this table name hold keys, which the key side alone may read. Keys have the empty name. */
export function isOfKeys(table: string): boolean {
  return table === '' || table === noticesTable
}

/** Media types a part may have. */
const mediaTypeSchema = z.enum(['text/csv', 'application/vnd.apache.parquet'])

/** One file of a delivery. Keys have the empty table name, notices `#notices`; numbers count from 1 in each table. */
const manifestPartSchema = z.strictObject({
  table: tableName.or(z.literal('')).or(z.literal(noticesTable)),
  number: z.int().min(1).max(99_999),
  rows: z.int().min(0),
  bytes: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mediaType: mediaTypeSchema,
})
export type ManifestPart = z.infer<typeof manifestPartSchema>

/** Every part of a delivery of one wave: the agency's word on what it sent. At most 100,000 parts, each named once. */
export const manifestSchema = z
  .strictObject({
    format: z.literal('gyeol-manifest-1'),
    project: z.uuid().optional(),
    wave: z.int().min(1).max(999),
    parts: z.array(manifestPartSchema).min(1).max(100_000),
  })
  .superRefine((manifest, context) => {
    const names = new Set(manifest.parts.map((part) => `${part.table}/${part.number}`))
    if (names.size < manifest.parts.length)
      context.addIssue({ code: 'custom', path: ['parts'], message: 'a part is named twice' })
  })
export type Manifest = z.infer<typeof manifestSchema>

/** A column as the service tells it. Without a type the agency's tool writes it as text. */
const answeredColumnSchema = z.object({
  required: z.boolean().exactOptional(),
  type: z
    .enum(['code', 'text', 'integer', 'decimal', 'date', 'year-month', 'timestamp'])
    .exactOptional(),
  format: z.enum(['YYYYMMDD', 'YYYY-MM-DD']).exactOptional(),
  lengthMax: z.int().exactOptional(),
  codes: z.array(z.string()).exactOptional(),
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
})

/**
 * What an agency asks first: the recipe, its key types, and its tables with their columns in order. Only what preparing
 * needs is read; the service says more.
 */
export const recipeAnswerSchema = z.object({
  project: z.uuid(),
  recipe: recipeSchema,
  keyTypes: z.array(z.enum(keyTypes)).min(1),
  tables: z.record(tableName, z.object({ columns: z.record(columnName, answeredColumnSchema) })),
})
export type RecipeAnswer = z.infer<typeof recipeAnswerSchema>
