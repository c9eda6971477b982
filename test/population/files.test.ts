import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { sourceDescriptionSchema } from '../../src/agency/source-description.ts'
import { defaultCatalogue } from '../../src/catalogue/load.ts'
import type { CatalogueColumn } from '../../src/catalogue/schema.ts'
import { Refusal } from '../../src/core/errors.ts'
import { generatePopulation } from '../../src/population/generate.ts'
import { digestsOf, personsByAgency, rowsOf } from './support.ts'

test('the same seed gives the same bytes on one thread and on two', async (t) => {
  const dir = t.testdir({})
  const one = await generatePopulation({ persons: 2000, seed: 5, outDir: `${dir}/1`, threads: 1 })
  await generatePopulation({ persons: 2000, seed: 5, outDir: `${dir}/2`, threads: 2 })
  await generatePopulation({ persons: 2000, seed: 6, outDir: `${dir}/3` })
  const digests = await digestsOf(`${dir}/1`)
  t.same(
    Object.keys(digests).sort(),
    [...one.files].sort(),
    'every file is told, nothing is left over',
  )
  t.same(await digestsOf(`${dir}/2`), digests)
  const others = await digestsOf(`${dir}/3`)
  const equal = Object.keys(digests).filter((file) => digests[file] === others[file])
  t.same(
    equal.filter((file) => !file.endsWith('source.json')),
    [],
  )
})

test('the files are as the agencies have them', async (t) => {
  const dir = t.testdir({})
  const persons = 2000
  const told: string[] = []
  const population = await generatePopulation({
    persons,
    seed: 11,
    outDir: dir,
    onProgress: ({ file }) => told.push(file),
  })
  t.same(told, population.files, 'progress names every file')

  t.test('each table has the rows that the sizes of the bench ask for', async (t) => {
    const expected: Record<string, number> = {
      registration: 1.2,
      eligibility: 9,
      screening: 1.4,
      statement: 20,
      diagnosis: 20,
      treatment: 10,
      prescription: 10,
      death: 0.24,
      covid_case: 0.4,
      vaccination: 2.4,
    }
    t.same(Object.keys(population.rowsByTable).sort(), Object.keys(expected).sort())
    for (const [table, aPerson] of Object.entries(expected)) {
      const ratio = (population.rowsByTable[table] ?? 0) / (aPerson * persons)
      t.ok(ratio > 0.9 && ratio < 1.1, `${table}: ${ratio.toFixed(3)} of what is asked for`)
    }
  })

  t.test('every source description is one the agency tool reads, and true', async (t) => {
    const { tables } = defaultCatalogue()
    const described: Record<string, number> = {}
    for (const [agency, path] of Object.entries(population.sources)) {
      const document: unknown = JSON.parse(await readFile(join(dir, path), 'utf8'))
      const source = sourceDescriptionSchema.parse(document)
      for (const [table, groups] of Object.entries(source.tables)) {
        t.equal(tables[table]?.agency, agency)
        for (const group of groups) {
          t.same(
            Object.keys(group.columns).sort(),
            Object.keys(tables[table]?.columns ?? {}).sort(),
            `${table} has every column of the catalogue`,
          )
          for (const file of group.files) {
            const rows = await rowsOf(join(dir, agency, file), group.encoding)
            described[table] = (described[table] ?? 0) + rows.length
            const inFile = Object.keys(rows[0] ?? {})
            const promised = [group.person, ...Object.values(group.columns)]
            if (rows.length > 0) t.same([...inFile].sort(), [...promised].sort(), file)
            const faults = rows.flatMap((row) =>
              Object.entries(tables[table]?.columns ?? {})
                .filter(([name, column]) => !fits(column, row[group.columns[name] ?? ''] ?? ''))
                .map(([name]) => name),
            )
            t.same(faults, [], `every value of ${file} fits the catalogue`)
          }
        }
      }
    }
    t.same(described, population.rowsByTable)
  })

  t.test('the layout of statements changed in 2021', async (t) => {
    const source = sourceDescriptionSchema.parse(
      JSON.parse(await readFile(join(dir, 'hira/source.json'), 'utf8')),
    )
    const groups = source.tables['statement'] ?? []
    t.same(
      groups.map((group) => group.files),
      [
        ['t20_2018.csv', 't20_2019.csv', 't20_2020.csv'],
        ['t20_2021.csv', 't20_2022.csv', 't20_2023.csv'],
      ],
    )
    t.equal(groups[0]?.columns['MID'], 'SPEC_NO')
    t.equal(groups[1]?.columns['MID'], 'MID')
    t.equal(source.tables['diagnosis']?.length, 1)
  })

  t.test('HIRA writes CP949 beyond EUC-KR, Statistics Korea ends lines with CR LF', async (t) => {
    const claims = await readFile(join(dir, 'hira/t20_2022.csv'))
    t.ok(claims.includes(Buffer.from([0x8c, 0x63])), '똠')
    t.notOk(claims.includes('똠'))
    const deaths = await readFile(join(dir, 'kostat/death.csv'), 'utf8')
    t.equal(deaths.split('\n').length, deaths.split('\r\n').length)
    t.match(deaths, /^DTH_NO,DTH_DD,CAUS_CD,PLAC_CD,SIDO_CD\r\n/)
    t.notOk((await readFile(join(dir, 'nhis/persons.csv'))).includes('\r'))
  })

  t.test('claims lie in the order of their dates', async (t) => {
    const dates = (await rowsOf(join(dir, 'hira/t20_2022.csv'), 'cp949')).map(
      (r) => r['RECU_FR_DD'],
    )
    t.same(dates, [...dates].sort())
    t.ok(dates.every((date) => date?.startsWith('2022')))
  })

  t.test(
    'registration numbers stand in the persons files and the notices, nowhere else',
    async (t) => {
      const numbers = new Set<string>()
      for (const held of Object.values(await personsByAgency(dir))) {
        for (const { number } of held) if (number.length >= 12) numbers.add(number.replace('-', ''))
      }
      t.ok(numbers.size > 2000)
      const files = population.files.filter((file) => !/persons\.csv$|notices\.csv$/.test(file))
      for (const file of files) {
        const text = (await readFile(join(dir, file))).toString('latin1')
        const digits = text.match(/[0-9]{6}-?[0-9]{6,7}/g) ?? []
        t.notOk(
          digits.some((found) => numbers.has(found.replace('-', ''))),
          file,
        )
        t.notOk(
          /(?<![0-9])[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{7}(?![0-9])/.test(text),
        )
      }
    },
  )

  t.test('the spill is gone', async (t) => {
    t.same((await readdir(dir)).sort(), [
      'hira',
      'kdca',
      'kostat',
      'ncc',
      'nhis',
      'truth',
      'wave-2',
    ])
    t.ok((await stat(join(dir, 'wave-2/kostat/persons.csv'))).size > 0)
  })
})

test('with a steady layout every table has one group of files', async (t) => {
  const dir = t.testdir({})
  await generatePopulation({ persons: 1000, seed: 1, outDir: dir, layout: 'steady' })
  const document: unknown = JSON.parse(await readFile(join(dir, 'hira/source.json'), 'utf8'))
  const { tables } = sourceDescriptionSchema.parse(document)
  t.same(
    Object.values(tables).map((groups) => groups.length),
    [1, 1, 1, 1],
  )
})

test('refuses a full directory, too few persons and a seed that is no whole number', async (t) => {
  const outDir = t.testdir({ 'a.txt': '' })
  await t.rejects(generatePopulation({ persons: 2000, seed: 1, outDir }), {
    code: 'already-exists',
  })
  const empty = t.testdirName
  for (const options of [
    { persons: 10, seed: 1 },
    { persons: 2000, seed: 0.5 },
  ]) {
    await t.rejects(generatePopulation({ ...options, outDir: empty }), Refusal)
  }
})

function fits(column: CatalogueColumn, value: string): boolean {
  if (value === '') return column.required !== true
  if (column.codes !== undefined) return column.codes.includes(value)
  if (column.pattern !== undefined && !new RegExp(`^(?:${column.pattern})$`).test(value))
    return false
  if (column.lengthMax !== undefined && value.length > column.lengthMax) return false
  if (column.type === 'integer' || column.type === 'decimal') {
    const number = Number(value)
    if (column.type === 'integer' && !/^-?[0-9]+$/.test(value)) return false
    return number >= (column.min ?? -Infinity) && number <= (column.max ?? Infinity)
  }
  if (column.type === 'year-month') return /^[0-9]{4}(0[1-9]|1[0-2])$/.test(value)
  if (column.type !== 'date') return true
  const parts =
    column.format === 'YYYYMMDD' ? /^(\d{4})(\d{2})(\d{2})$/ : /^(\d{4})-(\d{2})-(\d{2})$/
  const found = parts.exec(value)
  return found !== null && !Number.isNaN(Date.parse(found.slice(1).join('-')))
}
