import { quoteText, type Session } from './session.ts'

/** DuckDB types that a Frictionless field type may have in Parquet. */
const parquetTypes: Readonly<Record<string, RegExp>> = {
  string: /^VARCHAR$/,
  yearmonth: /^VARCHAR$/,
  year: /^(VARCHAR|INTEGER|BIGINT|SMALLINT)$/,
  integer: /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/,
  number: /^(DOUBLE|FLOAT|DECIMAL.*|U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT))$/,
  date: /^DATE$/,
  datetime: /^TIMESTAMP.*$/,
}

/**
 * Holds a file of rows against its description: the columns by name, order and, in Parquet, type, and how many rows.
 *
 * @returns what is wrong, as sentences without values, and the rows that are there.
 */
export async function checkTableFiles(
  session: Session,
  file: {
    path: string
    format: 'parquet' | 'csv'
    fields: readonly { name: string; type: string }[]
    rows: number | undefined
  },
): Promise<{ sentences: string[]; rows: number }> {
  const source =
    file.format === 'parquet'
      ? `read_parquet(${quoteText(file.path)})`
      : `read_csv(${quoteText(file.path)}, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')`
  try {
    const columns = await session.rows<{ column_name: string; column_type: string }>(
      `describe select * from ${source}`,
    )
    const [counted] = await session.rows<{ rows: number }>(
      `select count(*)::integer as rows from ${source}`,
    )
    const rows = counted?.rows ?? 0
    const sentences: string[] = []
    const names = columns.map((column) => column.column_name).join('\n')
    if (names !== file.fields.map(({ name }) => name).join('\n')) {
      sentences.push('Its columns are not those that datapackage.json describes.')
    } else if (file.format === 'parquet') {
      const isOther = file.fields.some(
        ({ type }, index) => !parquetTypes[type]?.test(columns[index]?.column_type ?? ''),
      )
      if (isOther) sentences.push('A column has another type than datapackage.json describes.')
    }
    if (file.rows !== undefined && file.rows !== rows) {
      sentences.push('It has another number of rows than the manifest says.')
    }
    return { sentences, rows }
  } catch {
    return { sentences: [`It cannot be read as ${file.format}.`], rows: 0 }
  }
}
