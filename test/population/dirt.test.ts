import { join } from 'node:path'
import { test } from 'tap'
import { openSession, quoteText } from '../../src/engine/session.ts'
import { generatePopulation } from '../../src/population/generate.ts'
import { keysOf } from './linker.ts'
import { personsByAgency, rowsOf } from './support.ts'

const dirt = {
  changedWithNotice: 0.03,
  changedWithoutNotice: 0.03,
  naturalised: 0.02,
  numberOnTwoPersons: 0.03,
  duplicates: 0.04,
  missingBirthDates: 0.03,
  parentsNumbers: 0.1,
  missingNumbers: 0.05,
  placeholders: 0.03,
  typosInNumbers: 0.05,
  typosInNames: 0.05,
  lateDeaths: 0.2,
  claimsAfterDeath: 0.01,
}

test('the dirt is there, at the rates that were set', async (t) => {
  const root = t.testdir({ population: {}, scratch: {} })
  const dir = join(root, 'population')
  const persons = 2000
  const population = await generatePopulation({ persons, seed: 9, outDir: dir, dirt })
  const session = await openSession({ scratchDir: root, memoryMiB: 512, threads: 2 })
  t.teardown(() => session.close())
  const ids = ['ncc', 'nhis', 'hira', 'kdca', 'kostat', 'wave-2-kostat']
    .map((name) => quoteText(join(dir, `truth/ids/${name}.parquet`)))
    .join(', ')
  await session.run(`
    create view person as select *
      from read_parquet(${quoteText(join(dir, 'truth/persons.parquet'))});
    create view held as select * from read_parquet([${ids}])`)
  const count = async (sql: string): Promise<number> =>
    (await session.rows<{ n: number }>(`select count(*) as n from ${sql}`))[0]?.n ?? -1
  // Five standard deviations of a binomial: a right rate fails once in two million.
  const near = (found: number, of: number, rate: number, what: string): void => {
    const slack = 5 * Math.sqrt(of * rate * (1 - rate)) + 1
    t.ok(Math.abs(found - of * rate) <= slack, `${what}: ${found} of ${of}, set to ${rate}`)
  }
  const held = await personsByAgency(dir)
  const keyed = keysOf(held)

  t.test('kinds of persons', async () => {
    const everyone = persons * 1.2
    near(await count(`person where kind = 'noticed'`), everyone, 0.03, 'changed, with notice')
    near(await count(`person where kind = 'changed'`), everyone, 0.03, 'changed, without')
    near(await count(`person where kind = 'naturalised'`), everyone, 0.02, 'naturalised')
    near(await count(`person where kind = 'lender' and is_spine`), persons, 0.03, 'lent numbers')
    near(await count(`person where kind = 'duplicate'`), everyone, 0.04, 'duplicates')
    near(
      await count(`person where kind = 'newborn' and not is_spine`),
      everyone - persons,
      0.1,
      'newborns',
    )
    near(await count(`person where kind = 'birthless'`), everyone, 0.03, 'without birth date')
    t.equal(await count(`person where kind = 'hub'`), 30, 'one hub, thirty people')
    t.equal(await count(`person where is_spine`), persons)
  })

  t.test('kinds of records', async () => {
    for (const agency of ['ncc', 'nhis', 'hira', 'kdca']) {
      const usual = await count(`held where agency = '${agency}'
        and dirt in ('none', 'missing', 'placeholder', 'typo')`)
      for (const [kind, rate] of [
        ['missing', 0.05],
        ['placeholder', 0.03],
        ['typo', 0.05],
      ] as const) {
        const found = await count(`held where agency = '${agency}' and dirt = '${kind}'`)
        near(found, usual, rate, `${agency}: ${kind}`)
      }
    }
    near(
      await count(`held where wave = 2`),
      await count(`held where agency = 'kostat'`),
      0.2,
      'late deaths',
    )
  })

  t.test('several tumours a person, people missing elsewhere, two ids of one person', async (t) => {
    const tumours = (await rowsOf(join(dir, 'ncc/registration_2020.csv'))).map((r) => r['TUMOR_NO'])
    t.ok(tumours.includes('2') && tumours.includes('1'))
    t.ok((held['nhis']?.length ?? 0) < persons * 1.2 * 0.985)
    const twice = await count(
      `(select person from held where agency = 'hira' group by person having count(*) = 2)`,
    )
    t.ok(twice > 40, `${twice} persons twice at HIRA`)
    t.equal(
      await count(`(select 1 from held where agency in ('ncc', 'nhis') group by agency, person
      having count(*) > 1)`),
      0,
    )
  })

  t.test('numbers are shared as planted', async (t) => {
    const byNumber = new Map<string, Set<string>>()
    for (const { agency, k1, k4 } of keyed) {
      if (agency !== 'hira' || k1 === undefined || k4 === undefined) continue
      byNumber.set(k1, (byNumber.get(k1) ?? new Set()).add(k4))
    }
    const sizes = [...byNumber.values()].map((births) => births.size)
    t.ok(sizes.filter((size) => size === 2).length >= 30, 'numbers on two people')
    t.equal(sizes.filter((size) => size > 20 && size <= 30).length, 1, 'a hub')
    const mothers =
      await count(`held n join held m using (k1) join person on person.person = n.person
      where n.dirt = 'newborn' and n.agency = 'hira' and m.agency = 'ncc'
        and birth >= date '2019-01-01'`)
    t.ok(mothers >= 15, `${mothers} newborns under a number that NCC knows as the mother's`)
  })

  t.test("nobody under another number has that number's birth date and sex", async (t) => {
    t.equal(
      await count(`held s join held o using (k1, k4)
      where s.agency = 'ncc' and s.person <> o.person`),
      0,
    )
    t.equal(
      await count(`held s join held o using (k1) where s.agency = 'ncc' and s.person <> o.person
      and (s.k4 is null or o.k4 is null)`),
      0,
    )
  })

  t.test('the truth has the keys that the files have', async (t) => {
    const rows = await session.rows<{ agency: string; id: string; k1: boolean; k4: boolean }>(
      `select agency, id, k1 is not null as k1, k4 is not null as k4 from held where wave = 1`,
    )
    const known = new Map(rows.map((row) => [`${row.agency} ${row.id}`, row]))
    const wrong = keyed.filter(({ agency, id, k1, k4 }) => {
      const row = known.get(`${agency} ${id}`)
      return row?.k1 !== (k1 !== undefined) || row?.k4 !== (k4 !== undefined)
    })
    t.equal(wrong.length, 0)
    t.equal(known.size, keyed.length)
    const perKey = new Set(keyed.filter((r) => r.k1 !== undefined).map((r) => r.k1)).size
    t.equal(await count('(select distinct k1 from held where k1 is not null and wave = 1)'), perKey)
  })

  t.test(
    'numbers agree with birth date and sex; the check digit holds until September 2020',
    async (t) => {
      const clean = await session.rows<{
        id: string
      }>(`select id from held join person using (person)
      where agency = 'nhis' and dirt = 'none' and not is_foreign`)
      const ids = new Set(clean.map(({ id }) => id))
      const own = (held['nhis'] ?? []).filter(({ id }) => ids.has(id))
      t.ok(own.length > 1000)
      const weights = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]
      for (const { number, birth, sex } of own) {
        const [, century = '', yymmdd = ''] = /^(..)(.{6})$/.exec(birth) ?? []
        const digit = (century === '19' ? 1 : 3) + (sex === 'F' ? 1 : 0)
        if (number.slice(0, 7) !== yymmdd + digit) t.fail('number and birth differ')
        const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0)
        if (birth < '20201001' && (11 - (sum % 11)) % 10 !== Number(number[12]))
          t.fail('check digit')
      }
      const babies = (held['nhis'] ?? []).filter(
        ({ birth, number }) => birth >= '20201001' && number.length === 13,
      )
      const invalid = babies.filter(({ number }) => {
        const sum = weights.reduce((total, weight, i) => total + weight * Number(number[i]), 0)
        return (11 - (sum % 11)) % 10 !== Number(number[12])
      })
      t.ok(
        invalid.length > babies.length / 2,
        `${invalid.length} of ${babies.length} without a check digit`,
      )
    },
  )

  t.test('names collide, are mistyped and stand in Latin letters', async (t) => {
    const names = (held['hira'] ?? []).map(({ name }) => name)
    t.ok(new Set(names).size < names.length * 0.98, 'namesakes')
    t.ok(names.some((name) => /^[A-Z ]+$/.test(name)))
    const kims = names.filter((name) => name.startsWith('김')).length / names.length
    t.ok(kims > 0.15 && kims < 0.27, 'one in five is a Kim')
    t.ok(
      names.some((name) => /^. .$|^. ..$/.test(name)),
      'a blank within a Korean name',
    )
  })

  t.test('life runs in one direction, but for claims after death', async (t) => {
    t.equal(await count('person where is_spine and diagnosed < birth'), 0)
    t.equal(await count('person where death <= diagnosed'), 0)
    const deaths = new Map(
      (
        await session.rows<{ id: string; death: string }>(
          `select id, strftime(death, '%Y%m%d') as death from held join person using (person)
       where agency = 'hira' and death is not null`,
        )
      ).map(({ id, death }) => [id, death]),
    )
    const claims = await rowsOf(join(dir, 'hira/t20_2023.csv'), 'cp949')
    const after = claims.filter(
      (c) => (c['RECU_FR_DD'] ?? '') > (deaths.get(c['JID'] ?? '') ?? '9'),
    )
    near(after.length, claims.length, 0.01, 'claims after death')
    const doses = await rowsOf(join(dir, 'kdca/vaccination_2021.csv'))
    t.ok(doses.length > 1000 && doses.every((dose) => (dose['VACC_DD'] ?? '') >= '2021-02-26'))
    t.ok(
      (await rowsOf(join(dir, 'kdca/covid_case_2020.csv'))).every(
        (c) => (c['CNFM_DD'] ?? '') >= '2020-01-20',
      ),
    )
  })

  t.test('prostate cancer is of men, breast cancer nearly always of women', async (t) => {
    const rows = (
      await Promise.all(
        [2014, 2015, 2016, 2017].map((year) => rowsOf(join(dir, `ncc/registration_${year}.csv`))),
      )
    ).flat()
    const sexes = (site: string) =>
      rows.filter((r) => r['TOPO_CD']?.startsWith(site)).map((r) => r['SEX'])
    t.ok(sexes('C61').length > 20 && sexes('C61').every((sex) => sex === '1'))
    t.ok(sexes('C50').filter((sex) => sex === '2').length > 0.95 * sexes('C50').length)
    t.ok(sexes('C53').every((sex) => sex === '2'))
  })

  t.test('a death of the second wave is not in the first', async (t) => {
    const first = await rowsOf(join(dir, 'kostat/death.csv'))
    const second = await rowsOf(
      join(dir, population.sourcesOfWave2['kostat'] ?? '', '../death.csv'),
    )
    t.equal(first.length + second.length, await count(`held where agency = 'kostat'`))
    t.equal(
      await count(
        `(select person from held where agency = 'kostat' group by person having count(*) > 1)`,
      ),
      0,
    )
  })
})
