/**
 * What a catalogue may say: the tables that agencies deliver, and for every table the closed list
 * of its columns.
 *
 * The catalogue is data. A new source, table or column is a new document, never new code; what code
 * needs to know about a column (that it is the date of diagnosis, or a claim number) it learns from
 * the column's role. The order of the keys of `columns` is the order of the columns.
 */
import { z } from 'zod'
import { columnRoles, rolesOncePerTable } from './roles.ts'

const tablesMax = 200
const columnsMax = 500
const codesMax = 20_000
const namesOfTheService = ['serial', 'ordinal', 'person', 'pseudonym', 'token']

const titleSchema = z.strictObject({
  en: z.string().min(1).max(200),
  ko: z.string().min(1).max(200),
})

const columnSchema = z.strictObject({
  type: z.enum(['code', 'text', 'integer', 'decimal', 'date', 'year-month', 'timestamp']),
  /** An empty value is a bad row. Default: empty is allowed. */
  required: z.boolean().exactOptional(),
  /** Of a date; both forms are accepted when absent. */
  format: z.enum(['YYYYMMDD', 'YYYY-MM-DD']).exactOptional(),
  /** Characters, of a code or a text. */
  lengthMax: z.int().min(1).max(10_000).exactOptional(),
  /** Of a code, a text or a year-month: RE2 syntax, matched against the whole value. */
  pattern: z.string().min(1).max(200).exactOptional(),
  /** Every value there may be, of a code. */
  codes: z.array(z.string().min(1).max(40)).min(1).max(codesMax).exactOptional(),
  /** What the codes mean, for codebooks. Only codes of `codes`. */
  labels: z.record(z.string(), titleSchema).exactOptional(),
  /** Inclusive bounds, of an integer or a decimal. */
  min: z.number().exactOptional(),
  max: z.number().exactOptional(),
  role: z.enum(columnRoles).exactOptional(),
  title: titleSchema,
  unit: z.string().min(1).max(40).exactOptional(),
})

/** A column: its type, bounds, code list, role and titles. */
export type CatalogueColumn = z.infer<typeof columnSchema>

const tableSchema = z.strictObject({
  agency: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
  title: titleSchema,
  /** Share of bad rows, 0 to 1, above which a part of this table is refused whole. */
  badRowsMaxShare: z.number().min(0).max(1).default(0.01),
  columns: z.record(z.string(), columnSchema),
})

/** A table of one agency. Every row belongs to a person; the serial is not among the columns. */
export type CatalogueTable = z.infer<typeof tableSchema>

/**
 * The schema of a catalogue document. Every message is a sentence about the catalogue itself (a
 * document that holds no personal data) and names the table and the column.
 */
export const catalogueSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/),
    version: z.string().min(1).max(40),
    tables: z.record(z.string(), tableSchema),
  })
  .superRefine((catalogue, context) => {
    const say = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path: ['tables', ...path], message })
    }
    const tables = Object.entries(catalogue.tables)
    if (tables.length === 0) say([], 'A catalogue needs at least one table.')
    if (tables.length > tablesMax) say([], `A catalogue has at most ${tablesMax} tables.`)
    for (const [name, table] of tables) {
      if (!/^[a-z][a-z0-9_]{0,62}$/.test(name)) {
        say([name], 'A table name is lower-case letters, digits and underscores.')
      }
      for (const fault of faultsOfTable(table)) say([name, ...fault.path], fault.sentence)
    }
  })

/** A checked catalogue. */
export type Catalogue = z.infer<typeof catalogueSchema>

type Fault = { path: string[]; sentence: string }

function faultsOfTable(table: CatalogueTable): Fault[] {
  const faults: Fault[] = []
  const names = Object.keys(table.columns)
  if (names.length === 0) faults.push({ path: [], sentence: 'A table needs at least one column.' })
  if (names.length > columnsMax) {
    faults.push({ path: [], sentence: `A table has at most ${columnsMax} columns.` })
  }
  const seen = new Set<string>()
  const roles = new Set<string>()
  for (const [name, column] of Object.entries(table.columns)) {
    for (const sentence of faultsOfColumn(name, column)) {
      faults.push({ path: ['columns', name], sentence })
    }
    // The engine's identifiers do not distinguish case, so neither may a catalogue.
    const folded = name.toLowerCase()
    if (seen.has(folded)) {
      faults.push({
        path: ['columns', name],
        sentence: 'Two columns of a table may not differ in case only.',
      })
    }
    seen.add(folded)
    if (column.role === undefined || !rolesOncePerTable.has(column.role)) continue
    if (roles.has(column.role)) {
      faults.push({
        path: ['columns', name],
        sentence: `Only one column of a table may have the role ${column.role}.`,
      })
    }
    roles.add(column.role)
  }
  return faults
}

/** Each rule: the condition under which it is broken, and the sentence that says so. */
function faultsOfColumn(name: string, column: CatalogueColumn): string[] {
  const rules = [...rulesOfNames(name, column), ...rulesOfValues(column)]
  return rules.filter(([isBroken]) => isBroken).map(([, sentence]) => sentence)
}

type Rule = readonly [isBroken: boolean, sentence: string]

function rulesOfNames(name: string, column: CatalogueColumn): Rule[] {
  const codes = new Set(column.codes)
  return [
    [
      !/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name),
      'A column name is a letter, then letters, digits and underscores.',
    ],
    [
      namesOfTheService.includes(name.toLowerCase()),
      'This column name is kept for the service; choose another.',
    ],
    [
      column.codes !== undefined && column.type !== 'code',
      'Only a code column may have a code list.',
    ],
    [codes.size !== (column.codes?.length ?? 0), 'The code list names a code twice.'],
    [
      Object.keys(column.labels ?? {}).some((code) => !codes.has(code)),
      'The labels name a code that is not in the code list.',
    ],
  ]
}

function rulesOfValues(column: CatalogueColumn): Rule[] {
  const isNumber = column.type === 'integer' || column.type === 'decimal'
  const isText = column.type === 'code' || column.type === 'text'
  return [
    [
      column.format !== undefined && column.type !== 'date',
      'Only a date column may have a format.',
    ],
    [
      column.lengthMax !== undefined && !isText,
      'Only a code or text column may have a greatest length.',
    ],
    [
      column.pattern !== undefined && !isText && column.type !== 'year-month',
      'Only a code, text or year-month column may have a pattern.',
    ],
    [
      column.pattern !== undefined && !isPattern(column.pattern),
      'The pattern is not a regular expression of RE2 (no look-around, no back reference).',
    ],
    [
      (column.min !== undefined || column.max !== undefined) && !isNumber,
      'Only an integer or decimal column may have bounds.',
    ],
    [(column.min ?? -Infinity) > (column.max ?? Infinity), 'The lower bound is above the upper.'],
  ]
}

function isPattern(pattern: string): boolean {
  if (/\(\?(?:[=!]|<[=!])|\\[1-9]/.test(pattern)) return false
  try {
    new RegExp(pattern, 'u')
    return true
  } catch {
    return false
  }
}
