/**
 * The persons of an agency: their fields brought into one form as they are read, one row a person, a serial for each, and
 * the parts of keys. Raw identifiers exist only while DuckDB reads them.
 */
import { Refusal } from '../core/errors.ts'
import type { KeyType, Recipe } from '../core/recipe.ts'
import { quoteIdentifier, quoteText } from '../engine/session.ts'
import type { Parts } from './parts.ts'
import type { Piece } from './readable.ts'
import { keySql, normalisedSql, padsOf } from './recipe-sql.ts'
import type { AgencySession } from './session.ts'
import type { PersonFiles } from './source-description.ts'

/** What is told of the persons: counts only. */
export type PersonsReport = {
  rows: number
  persons: number
  /** Rows without an id, left out. */
  withoutId: number
  /** Persons whose rows differ in a field of a key; the first form in order is taken. */
  differing: number
  /** Persons without a key, by key type. */
  emptyKeys: Partial<Record<KeyType, number>>
}

/** Makes the table that `readPersons` fills: the id and each field that the keys need, in its one form. */
export async function createPersons(
  session: AgencySession,
  recipe: Recipe,
  types: readonly KeyType[],
): Promise<void> {
  const fields = fieldsOf(recipe, types).map((field) => `${quoteIdentifier(`f_${field}`)} varchar`)
  await session.run(`create temp table person_row (id varchar, ${fields.join(', ')})`)
}

/**
 * Reads one piece of a persons file into the table.
 *
 * @throws {Refusal} `column-missing` if the description lacks a field of a key, or the file a column.
 */
export async function readPersons(
  session: AgencySession,
  { piece, layout }: { piece: Piece; layout: PersonFiles },
  { recipe, types }: { recipe: Recipe; types: readonly KeyType[] },
): Promise<void> {
  const fields = fieldsOf(recipe, types)
  const raw = fields.map(
    (field) => `${rawSql({ piece, layout }, recipe, field)} as ${quoteIdentifier(field)}`,
  )
  const normalised = fields.map((field) =>
    normalisedSql(recipe.fields[field] ?? 'identifier', quoteIdentifier(field)),
  )
  await session.run(`insert into person_row select id, ${normalised.join(', ')} from (
    select ${cellSql(piece, layout.id, layout.trim)} as id, ${raw.join(', ')} from ${piece.relation})`)
}

/** Makes the table `person`: one row an id. Gives the counts so far. */
export async function settlePersons(
  session: AgencySession,
): Promise<Omit<PersonsReport, 'emptyKeys'>> {
  const count = 'count(*)::integer as rows, count(id)::integer as ids'
  const [all] = await session.rows(
    `select ${count}, count(distinct id)::integer as persons from person_row`,
  )
  const rows = Number(all?.['rows'])
  const persons = Number(all?.['persons'])
  const withoutId = rows - Number(all?.['ids'])
  if (rows - withoutId === persons) {
    await session.run('create temp table person as select * from person_row where id is not null')
    await session.run('drop table person_row')
    return { rows, persons, withoutId, differing: 0 }
  }
  await session.run(`create temp table form as
    select distinct * from person_row where id is not null`)
  await session.run('drop table person_row')
  // The smallest row as a whole, so that no person is put together from two.
  await session.run(`create temp table person as
    select unnest(least_form), forms from (
      select min(form) as least_form, count(*) as forms from form group by form.id)`)
  await session.run('drop table form')
  const [differ] = await session.rows(
    'select count(*)::integer as count from person where forms > 1',
  )
  return { rows, persons, withoutId, differing: Number(differ?.['count']) }
}

/** Writes the parts of keys: serial and one column a key type, NULL where a key is empty. In the order of serials. */
export async function writeKeys(
  session: AgencySession,
  { recipe, types, agenciesKey }: { recipe: Recipe; types: KeyType[]; agenciesKey: Uint8Array },
  parts: Parts,
): Promise<PersonsReport['emptyKeys']> {
  const { ipad, opad } = padsOf(agenciesKey)
  await session.run('set variable ipad = $1', [ipad])
  await session.run('set variable opad = $1', [opad])
  const joins: string[] = []
  const columns: string[] = []
  for (const type of types) {
    const fields = (recipe.keyTypes[type] ?? []).map((field) => quoteIdentifier(`f_${field}`))
    if (!isCoarse(recipe, type)) {
      columns.push(`${keySql(recipe, type, fields)} as ${type}`)
      continue
    }
    // Few birth dates and sexes, many persons: each such key is computed once.
    await session.run(`create temp table key_${type} as
      select ${fields.join(', ')}, ${keySql(recipe, type, fields)} as key
      from (select distinct ${fields.join(', ')} from person)`)
    joins.push(`left join key_${type} using (${fields.join(', ')})`)
    columns.push(`key_${type}.key as ${type}`)
  }
  // The order of the file may be that of registration numbers; the order of serials says nothing.
  await session.run(`create temp table person_by_serial as
    select serial, person.* exclude (id) from person join serial_of using (id) order by serial`)
  const empty = types.map((type) => {
    const fields = (recipe.keyTypes[type] ?? []).map((field) => quoteIdentifier(`f_${field}`))
    const isEmpty = fields.map((field) => `${field} is null`).join(' or ')
    return `(count(*) filter (${isEmpty}))::integer as ${type}`
  })
  const [counted] = await session.rows(`select ${empty.join(', ')} from person`)
  await session.run('drop table person')
  await parts.add(
    session,
    `select serial, ${columns.join(', ')} from person_by_serial ${joins.join(' ')}`,
  )
  await session.run('reset variable ipad; reset variable opad; drop table person_by_serial')
  return Object.fromEntries(types.map((type) => [type, Number(counted?.[type])]))
}

/** SQL for a column of a piece; blank ends taken off where the layout asks. Never an empty text. */
export function cellSql(piece: Piece, column: string, trim: boolean): string {
  if (!piece.columns.includes(column)) {
    // The name is the description's own, never what stands in the file.
    throw new Refusal('column-missing', 'The file lacks a column that its description names.', {
      file: piece.file,
      column,
    })
  }
  const cell = quoteIdentifier(column)
  if (trim) return `nullif(trim(${cell}, ' \t'), '')`
  return piece.format === 'csv' ? cell : `nullif(${cell}, '')`
}

function rawSql(
  { piece, layout }: { piece: Piece; layout: PersonFiles },
  recipe: Recipe,
  field: string,
): string {
  const mapped = layout.fields[field]
  if (mapped === undefined) {
    const sentence = 'The source description names no column for a field that a key needs.'
    throw new Refusal('column-missing', sentence, { file: piece.file, column: field })
  }
  const cells = [mapped].flat().map((column) => cellSql(piece, column, layout.trim))
  const text =
    cells.length === 1 ? `coalesce(${cells[0]}, '')` : `concat_ws(' ', ${cells.join(', ')})`
  const codes = Object.entries(layout.sexCodes)
  if (recipe.fields[field] !== 'sex' || codes.length === 0) return text
  const whens = codes.map(([code, sex]) => `when ${quoteText(code)} then '${sex}'`).join(' ')
  return `(case trim(${text}) ${whens} else '' end)`
}

/** The fields that the keys need, each once. */
function fieldsOf(recipe: Recipe, types: readonly KeyType[]): string[] {
  return [...new Set(types.flatMap((type) => recipe.keyTypes[type] ?? []))]
}

/** Whether a key is made of birth date and sex alone, which thousands share. */
function isCoarse(recipe: Recipe, type: KeyType): boolean {
  const rules = (recipe.keyTypes[type] ?? []).map((field) => recipe.fields[field])
  return rules.every((rule) => rule === 'birth-date' || rule === 'sex')
}
