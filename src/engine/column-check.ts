/**
 * One column of the catalogue as SQL: what its typed value is, when a row is good, and why it is not. Nothing here reads a
 * value into TypeScript; a fault is a number that stands for a column and a reason.
 *
 * An empty value is NULL. A value must be exactly of its type: a whole number is digits, a date is a real date of the form
 * the catalogue names, a code keeps its leading zeros.
 */
import type { CatalogueColumn } from '../catalogue/schema.ts'
import { registrationNumberInNumber, registrationNumberInText } from './identifier-shape.ts'
import { quoteIdentifier, quoteText } from './session.ts'

/** Why a row is set aside. The order is the order in which reasons are looked for; never reordered, only extended. */
export const reasons = [
  'identifier',
  'missing',
  'wrong-type',
  'too-long',
  'not-in-list',
  'pattern',
  'out-of-range',
  'serial-malformed',
] as const

/** One of the reasons. */
export type Reason = (typeof reasons)[number]

export type ColumnCheck = {
  name: string
  /** The typed value over the source's columns. */
  typed: string
  /** The conditions of a bad value, over the source's column and, as `typedName`, the typed one; NULL is not bad. */
  faults: readonly { reason: Reason; when: string }[]
  typedName: string
  isCode: boolean
  /** Cannot be had from what came: a column of numbers where codes keep their zeros, a nested column. */
  isOfWrongType: boolean
  /** DuckDB's type of the typed value. */
  type: string
}

/** What the typed value of a column depends on. */
export type ColumnType = Pick<CatalogueColumn, 'type' | 'format' | 'min' | 'max'>

/** The DuckDB type of a typed column. */
export function typeOf(column: ColumnType): string {
  if (column.type === 'date' || column.type === 'timestamp') return column.type.toUpperCase()
  if (column.type === 'decimal') return 'DOUBLE'
  if (column.type !== 'integer') return 'VARCHAR'
  const fits =
    (column.min ?? -Infinity) >= -2_147_483_648 && (column.max ?? Infinity) <= 2_147_483_647
  return fits ? 'INTEGER' : 'BIGINT'
}

/**
 * The check of a column.
 *
 * @param sourceType - DuckDB's type of the column as it came.
 */
export function checkOf(name: string, column: CatalogueColumn, sourceType: string): ColumnCheck {
  const raw = quoteIdentifier(name)
  const typedName = quoteIdentifier(`${name}\u0020typed`)
  const isText = sourceType === 'VARCHAR'
  const faults: { reason: Reason; when: string }[] = []
  const identifier = identifierTest(raw, column, sourceType)
  if (identifier !== undefined) faults.push({ reason: 'identifier', when: identifier })
  if (column.required === true) faults.push({ reason: 'missing', when: `${raw} is null` })
  faults.push(
    ...inexactWhen(raw, typedName, column, isText).map((when) => ({
      reason: 'wrong-type' as const,
      when,
    })),
  )
  faults.push(...faultsOfValue(raw, typedName, column))
  return {
    name,
    typed: isText ? typedOfText(raw, column) : typedOfTyped(raw, column, sourceType),
    faults,
    typedName,
    isCode: column.type === 'code',
    type: typeOf(column),
    isOfWrongType: !isText && !acceptedTypes[column.type].test(sourceType),
  }
}

/**
 * A text as a value of its column's type, exactly as a delivered text is taken: for an agency that delivers typed columns.
 *
 * @param raw - quoted name of a column of texts; an empty one is NULL.
 * @param typedName - quoted name under which `typed` will stand beside it.
 * @returns the typed value over `raw`, and the conditions under which it is not what the text says.
 */
export function exactlyTyped(
  raw: string,
  typedName: string,
  column: ColumnType,
): { typed: string; inexactWhen: string[] } {
  return { typed: typedOfText(raw, column), inexactWhen: inexactWhen(raw, typedName, column, true) }
}

function inexactWhen(
  raw: string,
  typedName: string,
  column: ColumnType,
  isText: boolean,
): string[] {
  if (typeOf(column) === 'VARCHAR' && column.type !== 'year-month') return []
  const isLost = `${raw} is not null and ${typedName} is null`
  if (column.type !== 'integer' || !isText) return [isLost]
  // The engine takes "1.6" for 2 and "1_000" for a thousand: what it read must print as what came, or be all digits.
  const isOther = `${typedName}::varchar <> ${raw} and not regexp_full_match(${raw}, '[+-]?[0-9]{1,30}')`
  return [isLost, isOther]
}

const wholeNumbers = 'U?(TINY|SMALL|BIG)INT|U?INTEGER'

/** What a typed source may be, by the type of the catalogue's column. */
const acceptedTypes: Record<CatalogueColumn['type'], RegExp> = {
  code: /^VARCHAR$/,
  text: /^VARCHAR$/,
  'year-month': /^VARCHAR$/,
  integer: new RegExp(`^(${wholeNumbers})$`),
  decimal: new RegExp(`^(${wholeNumbers}|FLOAT|DOUBLE|DECIMAL\\(\\d+,\\d+\\))$`),
  date: /^DATE$/,
  timestamp: /^(DATE|TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS|TIMESTAMP_NS)$/,
}

function identifierTest(
  raw: string,
  column: CatalogueColumn,
  sourceType: string,
): string | undefined {
  if (sourceType === 'VARCHAR') {
    // A value of a closed list or of fewer than 13 characters cannot be one; if it is, another fault asks again below.
    const isClosed = column.codes !== undefined || (column.lengthMax ?? Infinity) < 13
    return isClosed ? undefined : registrationNumberInText(raw, column.type === 'code')
  }
  return column.type === 'integer' || column.type === 'decimal'
    ? registrationNumberInNumber(raw)
    : undefined
}

function faultsOfValue(
  raw: string,
  typedName: string,
  column: CatalogueColumn,
): { reason: Reason; when: string }[] {
  const faults: { reason: Reason; when: string }[] = []
  if (column.lengthMax !== undefined) {
    // Bytes first: they are known without reading the text, and are never fewer than characters.
    const when = `strlen(${raw}) > ${column.lengthMax} and length(${raw}) > ${column.lengthMax}`
    faults.push({ reason: 'too-long', when })
  }
  if (column.codes !== undefined) {
    faults.push({ reason: 'not-in-list', when: `not ${isListed(raw, column.codes)}` })
  }
  if (column.pattern !== undefined) {
    const when = `not regexp_full_match(${raw}, ${quoteText(column.pattern)})`
    faults.push({ reason: 'pattern', when })
  }
  const bounds = [
    ...(column.min === undefined ? [] : [`${typedName} < ${column.min}`]),
    ...(column.max === undefined ? [] : [`${typedName} > ${column.max}`]),
  ]
  if (bounds.length > 0) faults.push({ reason: 'out-of-range', when: bounds.join(' or ') })
  return faults
}

/** A list of usual length as a pattern: of a column with a dictionary the engine matches each entry once, not each row. */
function isListed(raw: string, codes: readonly string[]): string {
  if (codes.length <= 8 || codes.length > 100) return isOneOf(raw, codes)
  const literal = codes.map((code) =>
    code.replace(/[^0-9A-Za-z]/gu, (sign) => `\\x{${sign.codePointAt(0)?.toString(16)}}`),
  )
  return `regexp_full_match(${raw}, ${quoteText(literal.join('|'))})`
}

/** NULL for NULL. A long list is a cast to an enum, which is one look-up; `in` compares with each. */
export function isOneOf(raw: string, codes: readonly string[]): string {
  const list = codes.map(quoteText).join(', ')
  if (codes.length <= 8) return `(${raw} in (${list}))`
  return `(${raw} is null or try_cast(${raw} as enum(${list})) is not null)`
}

function typedOfText(raw: string, column: ColumnType): string {
  switch (column.type) {
    case 'code':
    case 'text':
      return raw
    case 'integer':
      return `try_cast(${raw} as ${typeOf(column)})`
    case 'decimal':
      return `case when regexp_full_match(${raw}, '[+-]?[0-9]{1,30}([.][0-9]{0,30})?([eE][+-]?[0-9]{1,3})?')
        then try_cast(${raw} as double) end`
    case 'date':
      return dateOf(raw, column.format)
    case 'year-month':
      return `strftime(try_strptime(case strlen(${raw}) when 6 then ${raw}
        when 7 then replace(${raw}, '-', '') end || '01', '%Y%m%d'), '%Y-%m')`
    case 'timestamp':
      return `case strlen(${raw}) when 14 then try_strptime(${raw}, '%Y%m%d%H%M%S')
        when 19 then try_strptime(replace(${raw}, 'T', ' '), '%Y-%m-%d %H:%M:%S')
        when 20 then try_strptime(${raw}, '%Y-%m-%dT%H:%M:%SZ') end`
  }
}

function dateOf(raw: string, format: CatalogueColumn['format']): string {
  const compact = `when 8 then try_strptime(${raw}, '%Y%m%d')`
  const hyphened = `when 10 then try_strptime(${raw}, '%Y-%m-%d')`
  const forms =
    format === 'YYYYMMDD' ? compact : format === 'YYYY-MM-DD' ? hyphened : `${compact} ${hyphened}`
  return `(case strlen(${raw}) ${forms} end)::date`
}

function typedOfTyped(raw: string, column: CatalogueColumn, sourceType: string): string {
  const type = typeOf(column)
  if (type === sourceType) return raw
  return type === 'VARCHAR' ? raw : `try_cast(${raw} as ${type})`
}
