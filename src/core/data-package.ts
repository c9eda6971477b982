/**
 * `datapackage.json` of a release (Frictionless Data Package 1): for every table and format one resource with its files,
 * its schema in Korean and English, and what was done to each column. Built from policy, catalogue and the list of files
 * alone, so it can say nothing that they do not.
 */
import type { Catalogue } from '../catalogue/schema.ts'
import type { Json } from './canonical.ts'
import { countColumns, hiddenCode } from './count-table.ts'
import { diagnosisTitles, titlesOfCounts } from './count-titles.ts'
import {
  diagnosisTimeOf,
  own,
  type Policy,
  type ReleasedColumn,
  releasedColumns,
} from './policy.ts'
import type { PackageFile } from './release-manifest.ts'

/** A file of rows: which table it is a part of, in which format. */
export type TableFile = PackageFile & { table: string; format: 'parquet' | 'csv'; rows: number }

/** The file of a table of counts, `tables/<name>.csv`. */
export type CountFile = PackageFile & { rows: number }

const mediaTypes = { parquet: 'application/vnd.apache.parquet', csv: 'text/csv' } as const

/** The description of a release's tables. Files stand in the order given. */
export function dataPackageOf(release: {
  policy: Policy
  catalogue: Catalogue
  files: readonly TableFile[]
  /** The table of persons, one file a format. */
  persons: readonly Omit<TableFile, 'table'>[]
  counts: readonly CountFile[]
  /** Table → texts of its CSV files that got an apostrophe, so that no spreadsheet runs them. */
  escaped: Readonly<Record<string, number>>
}): Json {
  const { policy, catalogue, files, escaped } = release
  const tables = Object.keys(policy.tables).flatMap((table) =>
    (['parquet', 'csv'] as const).flatMap((format) => {
      const parts = files.filter((file) => file.table === table && file.format === format)
      const cells = format === 'csv' ? (escaped[table] ?? 0) : 0
      const flag = cells > 0 ? { 'x-escaped-cells': cells, 'x-escape': escapeText } : {}
      return parts.length === 0
        ? []
        : [{ ...resourceOf({ policy, catalogue, table, format, parts }), ...flag }]
    }),
  )
  return {
    profile: 'data-package',
    name: policy.name,
    version: policy.version,
    'x-catalogue': { name: catalogue.name, version: catalogue.version },
    'x-dates': policy.dates,
    resources: [
      ...release.persons.map((file) => personsResource(file, diagnosisTimeOf(policy))),
      ...tables,
      ...release.counts.map((file) => countResource(file, release)),
    ],
  }
}

const escapeText = 'an apostrophe before texts that a spreadsheet would run; Parquet has none'

/** Every person of the release once: what the dates of the other tables count from. */
function personsResource(file: Omit<TableFile, 'table'>, time: 'month' | 'year' | 'none'): Json {
  const known = { month: [diagnosisMonthField], year: [diagnosisYearField], none: [] }[time]
  return {
    name: file.format === 'parquet' ? 'persons' : 'persons-csv',
    title: 'Persons',
    'x-title-ko': '대상자',
    ...kindOf(file.format),
    path: file.name,
    format: file.format,
    mediatype: mediaTypes[file.format],
    encoding: 'utf-8',
    bytes: file.bytes,
    hash: `sha256:${file.sha256}`,
    'x-rows': file.rows,
    schema: { fields: [pseudonymField, ...known], missingValues: [''] },
  }
}

function countResource(
  { name, bytes, rows, sha256 }: CountFile,
  { policy, catalogue }: { policy: Policy; catalogue: Catalogue },
): Json {
  const short = name.replace(/^tables\/|\.csv$/g, '')
  const asked = own(policy.counts ?? {}, short)
  if (!asked) throw new RangeError('a table of counts that the policy does not ask for')
  const titles = titlesOfCounts(policy, catalogue, asked)
  const fields = countColumns(asked).map((field, at) => ({
    name: field,
    type: at === 2 ? 'integer' : 'string',
    title: titles[at]?.en ?? '',
    'x-title-ko': titles[at]?.ko ?? '',
  }))
  return {
    name: `tables-${short}`,
    title: `Table of counts: ${short}`,
    'x-title-ko': `집계표: ${short}`,
    profile: 'tabular-data-resource',
    path: name,
    format: 'csv',
    mediatype: mediaTypes.csv,
    encoding: 'utf-8',
    bytes,
    hash: `sha256:${sha256}`,
    'x-rows': rows,
    'x-threshold': asked.threshold,
    'x-missing-codes': {
      [hiddenCode]: 'hidden: below the threshold, or hidden for the sake of one',
    },
    schema: { fields, missingValues: [hiddenCode] },
  }
}

function resourceOf({
  policy,
  catalogue,
  table,
  format,
  parts,
}: {
  policy: Policy
  catalogue: Catalogue
  table: string
  format: 'parquet' | 'csv'
  parts: readonly TableFile[]
}): Record<string, Json> {
  const title = catalogue.tables[table]?.title
  return {
    name: format === 'parquet' ? table : `${table}-csv`,
    ...(title === undefined ? {} : { title: title.en, 'x-title-ko': title.ko }),
    ...kindOf(format),
    path: parts.map(({ name }) => name),
    format,
    mediatype: mediaTypes[format],
    encoding: format === 'csv' ? (policy.csvEncoding ?? 'utf-8') : 'utf-8',
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    'x-rows': parts.reduce((sum, { rows }) => sum + rows, 0),
    'x-files': parts.map(({ name, bytes, rows, sha256 }) => ({ path: name, bytes, rows, sha256 })),
    schema: {
      fields: [pseudonymField, ...releasedColumns(policy, catalogue, table).map(fieldOf)],
      missingValues: [''],
    },
  }
}

/** A tabular data resource is CSV; a file of Parquet is data of another form, with the same schema. */
function kindOf(format: 'parquet' | 'csv'): { profile: string; type: string } {
  return format === 'csv'
    ? { profile: 'tabular-data-resource', type: 'table' }
    : { profile: 'data-resource', type: 'file' }
}

const pseudonymField: Json = {
  name: 'pseudonym',
  type: 'string',
  title: 'Pseudonym of the person in this release',
  'x-title-ko': '이 반출본에서의 개인 가명',
  constraints: { required: true, minLength: 27, maxLength: 27 },
}

const diagnosisMonthField: Json = {
  name: 'diagnosis_month',
  type: 'yearmonth',
  title: diagnosisTitles.month.en,
  'x-title-ko': diagnosisTitles.month.ko,
}

const diagnosisYearField: Json = {
  name: 'diagnosis_month',
  type: 'year',
  title: diagnosisTitles.year.en,
  'x-title-ko': diagnosisTitles.year.ko,
}

function fieldOf({ name, rule, column, type }: ReleasedColumn): Json {
  const isAsDelivered = rule.rule === 'keep'
  return {
    name,
    type,
    title: column.title.en,
    'x-title-ko': column.title.ko,
    ...(rule.rule === 'date' && type === 'integer'
      ? { 'x-unit': 'days since the first diagnosis' }
      : {}),
    ...(isAsDelivered && column.unit !== undefined ? { 'x-unit': column.unit } : {}),
    ...(isAsDelivered && column.codes !== undefined
      ? { constraints: { enum: [...column.codes] } }
      : {}),
    ...(isAsDelivered && column.labels !== undefined ? { 'x-labels': column.labels } : {}),
    'x-rule': rule,
  }
}
