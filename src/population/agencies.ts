/**
 * How each of the five agencies keeps its files: ids, column names, encodings, line ends and
 * formats, each a little different, as they are. The generator writes by this table and
 * `source.json` describes by it, so they cannot part.
 */
import type { Dialect } from './files.ts'
import { coverage } from './settings.ts'

/** Catalogue column → column of the file. */
export type ColumnNames = Readonly<Record<string, string>>

/** Files of one table with one layout. */
export type FileGroup = { files: string[]; columns: ColumnNames }

export type AgencyFiles = {
  name: 'ncc' | 'nhis' | 'hira' | 'kostat' | 'kdca'
  /** Below the population's directory. */
  directory: string
  wave: 1 | 2
  dialect: Dialect
  /** SQL over `rec`: the local id as the files have it. */
  id: string
  columns: { id: string; registrationNumber: string; name: string; birthDate: string; sex: string }
  birthFormat: 'YYYYMMDD' | 'YYYY-MM-DD'
  /** Man, woman. */
  sexes: readonly [string, string]
  hasHyphens: boolean
  /** SQL over `person`: whom the agency knows. */
  knows: string
  hasDuplicates: boolean
  /** Which borrowed numbers it has taken down. */
  borrows: 'all' | 'grown' | 'hub' | 'none'
  losesBirthDates: boolean
}

const unix: Dialect = { encoding: 'utf-8', lineEnd: '\n' }
const usual = {
  wave: 1,
  dialect: unix,
  birthFormat: 'YYYYMMDD',
  sexes: ['1', '2'],
  hasHyphens: false,
  hasDuplicates: false,
  borrows: 'none',
  losesBirthDates: false,
} as const

const kostat = {
  ...usual,
  name: 'kostat',
  dialect: { encoding: 'utf-8', lineEnd: '\r\n' },
  columns: {
    id: 'DTH_NO',
    registrationNumber: 'JUMIN_NO',
    name: 'NAME',
    birthDate: 'BIRTH_DT',
    sex: 'SEX',
  },
  birthFormat: 'YYYY-MM-DD',
  sexes: ['M', 'F'],
} as const

/**
 * The agencies, the spine first; Statistics Korea a second time with the deaths of the second wave.
 */
export const agencies: readonly AgencyFiles[] = [
  {
    ...usual,
    name: 'ncc',
    directory: 'ncc',
    id: `'C' || (100000000 + local)`,
    columns: {
      id: 'CRN',
      registrationNumber: 'RRN',
      name: 'NM',
      birthDate: 'BIRTH_DD',
      sex: 'SEX_CD',
    },
    knows: 'is_spine',
    borrows: 'hub',
  },
  {
    ...usual,
    name: 'nhis',
    directory: 'nhis',
    id: '10000000 + local * 7',
    columns: {
      id: 'INDI_DSCM_NO',
      registrationNumber: 'JUMIN_NO',
      name: 'NAME',
      birthDate: 'BTH_DD',
      sex: 'SEX_TYPE',
    },
    knows: `u('nhis', p) < ${coverage.nhis}`,
    borrows: 'grown',
  },
  {
    ...usual,
    name: 'hira',
    directory: 'hira',
    dialect: { encoding: 'cp949', lineEnd: '\n' },
    id: '200000000 + local * 3',
    columns: {
      id: 'JID',
      registrationNumber: 'RRN',
      name: 'NM',
      birthDate: 'BIRTH',
      sex: 'SEX',
    },
    knows: `u('hira', p) < ${coverage.hira} and (death is null or death >= date '2018-01-01')`,
    hasDuplicates: true,
    borrows: 'all',
    losesBirthDates: true,
  },
  {
    ...usual,
    name: 'kdca',
    directory: 'kdca',
    id: `'K' || (5000000 + local)`,
    columns: {
      id: 'PSN_ID',
      registrationNumber: 'RRN',
      name: 'PSN_NM',
      birthDate: 'BRDT',
      sex: 'SEX',
    },
    sexes: ['남', '여'],
    hasHyphens: true,
    knows: `u('kdca', p) < ${coverage.kdca} and birth < date '2012-01-01'
        and (death is null or death >= date '2020-01-20')`,
    hasDuplicates: true,
    losesBirthDates: true,
  },
  {
    ...kostat,
    directory: 'kostat',
    id: `'D' || (1000000 + local)`,
    knows: 'death is not null and not is_late(p)',
  },
  {
    ...kostat,
    directory: 'wave-2/kostat',
    wave: 2,
    id: `'D' || (8000000 + local)`,
    knows: 'death is not null and is_late(p)',
  },
]

/**
 * The description of its files that the agency's tool reads. A table whose layout changed between
 * years has several groups of files.
 */
export function sourceOf(
  agency: AgencyFiles,
  tables: Readonly<Record<string, FileGroup[]>>,
  hasNotices: boolean,
): object {
  const { id, ...fields } = agency.columns
  const [man, woman] = agency.sexes
  return {
    persons: {
      files: ['persons.csv'],
      encoding: agency.dialect.encoding,
      format: 'csv',
      delimiter: ',',
      id,
      fields,
      sexCodes: { [man]: 'M', [woman]: 'F' },
    },
    ...(hasNotices
      ? {
          notices: {
            files: ['notices.csv'],
            encoding: agency.dialect.encoding,
            format: 'csv',
            delimiter: ',',
            fields: { oldRegistrationNumber: 'OLD_NO', newRegistrationNumber: 'NEW_NO' },
          },
        }
      : {}),
    tables: Object.fromEntries(
      Object.entries(tables).map(([name, groups]) => [
        name,
        groups.map((group) => ({
          files: group.files,
          encoding: agency.dialect.encoding,
          format: 'csv',
          delimiter: ',',
          person: id,
          columns: group.columns,
        })),
      ]),
    ),
  }
}
