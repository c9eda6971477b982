import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { registerAccount } from '../../src/actions/register-account.ts'
import { type Answer, type ApiClient, createClient } from '../support/api-client.ts'
import { testAuthority } from '../support/authority.ts'
import { keysPart, openDelivery, startHttpStage } from './stage.ts'

/** The leaves of refused attempts of an action. */
async function refusedLeaves(auditor: ApiClient, action: string): Promise<number> {
  const { body } = await auditor.get(`/v1/audit/entries?action=${action}`)
  const entries: { outcome: string }[] = body.entries.map((leaf: { entry: string }) =>
    JSON.parse(leaf.entry),
  )
  return entries.filter(({ outcome }) => outcome === 'refused').length
}

test('who may call, and what', async (t) => {
  const { service, operator, spine, other } = await startHttpStage(t)
  const { url, authority } = service
  const auditor = await service.person('auditor', ['auditor'])
  const path = '/v1/projects/hostile'

  await t.test('without a certificate or session everything is 401, with one body', async (t) => {
    const nobody = createClient({ url, ca: authority.ca })
    const stranger = createClient({ url, ca: authority.ca, token: 'a'.repeat(43) })
    const unregistered = createClient({
      url,
      ca: authority.ca,
      ...(await authority.client('unknown')),
    })
    const bodies = new Set<string>()
    for (const client of [nobody, stranger, unregistered]) {
      for (const answer of [
        await client.get(path),
        await client.post('/v1/projects', { anything: true }),
        await client.get(`/v1/deliveries/${randomUUID()}`),
      ]) {
        t.equal(answer.status, 401)
        const { instance, ...body } = answer.body
        t.type(instance, 'string')
        bodies.add(JSON.stringify(body))
      }
    }
    t.equal(bodies.size, 1)
  })

  await t.test(
    'a certificate that expired or is of another authority gets no answer',
    async (t) => {
      const longAgo = new Date(Date.now() - 20 * 365 * 86_400_000)
      const expired = await authority.client('spine', longAgo)
      const foreign = await (await testAuthority()).client('spine')
      for (const { key, cert } of [expired, foreign]) {
        await t.rejects(createClient({ url, ca: authority.ca, key, cert }).get(path))
      }
    },
  )

  await t.test('an agency finds nothing of another one', async (t) => {
    const delivery = await openDelivery(spine)
    const { bytes } = keysPart(1)
    const answers: Record<string, Answer> = {
      show: await other.get(`/v1/deliveries/${delivery}`),
      upload: await other.put(`/v1/deliveries/${delivery}/keys/1`, bytes),
      submit: await other.post(`/v1/deliveries/${delivery}/submission`, {
        format: 'gyeol-manifest-1',
        wave: 1,
        parts: [],
      }),
      withdraw: await other.delete(`/v1/deliveries/${delivery}`),
    }
    const unknown = await other.get(`/v1/deliveries/${randomUUID()}`)
    for (const [what, answer] of Object.entries(answers)) {
      t.ok([400, 404].includes(answer.status), `${what}: ${answer.status}`)
    }
    t.equal(answers['show']?.status, 404)
    t.equal(answers['show']?.body.detail, unknown.body.detail, 'as if it did not exist')
    t.same((await other.get(`${path}/deliveries`)).body.deliveries, [])
    t.equal((await spine.get(`/v1/deliveries/${delivery}`)).body.state, 'open')
  })

  await t.test('headers that say who someone is are not read', async (t) => {
    const { tls } = other.reach
    const claims = {
      'x-forwarded-for': '10.0.0.1',
      'x-client-cert': 'spine',
      'x-forwarded-client-cert': 'Subject="CN=spine"',
      forwarded: 'for=10.0.0.1;by=spine',
      'x-real-ip': '10.0.0.1',
      'x-user': 'one',
    }
    const nobody = createClient({ url, ca: tls.ca })
    const bytes = Buffer.from('{}')
    const headers = { 'content-type': 'application/json', ...claims }
    t.equal((await nobody.put('/v1/deliveries/x/keys/1', bytes, headers)).status, 401)
    const delivery = await openDelivery(other)
    const part = keysPart(1)
    await other.put(`/v1/deliveries/${delivery}/keys/1`, part.bytes, claims)
    const admin = service.database.pool('admin', 1)
    const { rows } = await admin.query(
      "select convert_from(entry, 'utf8') as entry from gyeol.audit_leaf where action = 'store-part'",
    )
    t.match(JSON.parse(rows[0].entry), { actor: { name: 'other' }, from: '127.0.0.1' })
    t.notMatch(rows[0].entry, /10\.0\.0\.1/)
  })

  await t.test('another password ends the sessions that the one before opened', async (t) => {
    const pool = service.database.pool('gyeol_api', 1)
    const nobody = createClient({ url, ca: authority.ca })
    const signIn = (password: string): Promise<Answer> =>
      nobody.post('/v1/sessions', { name: 'changing', password })
    const [first, second] = ['the first password', 'the second password']
    const register = (password: string): Promise<boolean> =>
      registerAccount(pool, { name: 'changing', roles: ['operator'], password }, 'test')
    t.equal(await register(first), true)
    const { token } = (await signIn(first)).body
    const person = createClient({ url, ca: authority.ca, token })
    t.equal((await person.get(path)).status, 200)
    t.equal(await register(second), false)
    t.equal((await person.get(path)).status, 401)
    t.equal((await signIn(first)).status, 401)
    t.equal((await signIn(second)).status, 201)
  })

  await t.test('who has not the role is 403, and a leaf says that they tried', async (t) => {
    const attempts: [ApiClient, 'get' | 'post', string, string][] = [
      [auditor, 'post', `${path}/linkages`, 'request-linkage'],
      [spine, 'post', `${path}/linkages`, 'request-linkage'],
      [operator, 'get', '/v1/audit/entries', 'search-trail'],
      [spine, 'get', '/v1/audit/entries', 'search-trail'],
      [auditor, 'post', `${path}/approval`, 'approve-project'],
    ]
    for (const [client, method, address, action] of attempts) {
      const before = await refusedLeaves(auditor, action)
      const answer = await client[method](address)
      t.match(answer, { status: 403, body: { type: /:grant-missing$/ } }, address)
      t.equal(await refusedLeaves(auditor, action), before + 1)
    }
    const mine = await operator.post('/v1/projects', {
      name: 'mine',
      purpose: 'x',
      recipe: { version: 'gyeol-1', fields: { n: 'identifier' }, keyTypes: { K1: ['n'] } },
      catalogue: {
        name: 'c',
        version: '1',
        tables: {
          cases: {
            agency: 'spine',
            title: { en: 'a', ko: 'a' },
            columns: { a: { type: 'code', title: { en: 'a', ko: 'a' } } },
          },
        },
      },
      agencies: [{ agency: 'spine', isSpine: true, keyTypes: ['K1'] }],
    })
    t.equal(mine.status, 201)
    const own = await operator.post('/v1/projects/mine/approval')
    t.match(own, { status: 403, body: { type: /:own-act$/ } })
    t.equal((await operator.get('/v1/projects/mine')).body.state, 'proposed')
  })

  await t.test(
    'JSON that reaches for prototypes, or says more than is asked, is 400',
    async (t) => {
      const send = (text: string): Promise<Answer> =>
        operator.put('/v1/projects', Buffer.from(text), { 'content-type': 'application/json' })
      t.equal((await send('{}')).status, 404, 'there is no PUT here')
      const post = (text: string): Promise<Answer> =>
        other.send('POST', `${path}/deliveries`, Buffer.from(text), {
          'content-type': 'application/json',
        })
      for (const text of [
        '{"wave":3,"__proto__":{"x":1}}',
        '{"wave":3,"constructor":{"prototype":{"x":1}}}',
        '{"wave":3,"more":1}',
        '{"wave":"3"}',
        '{"wave":3',
        '',
        '[]',
        'null',
      ]) {
        t.equal((await post(text)).status, 400, text)
      }
      t.equal((await post(`{"wave":3,"pad":"${'x'.repeat(4 << 20)}"}`)).status, 413)
      const types = ['Application/JSON', 'application/json;', 'application/json; x=1', 'text/json']
      for (const type of types) {
        const answer = await other.send('POST', `${path}/deliveries`, Buffer.from('{}'), {
          'content-type': type,
        })
        t.equal(answer.status, 415, type)
      }
      t.equal(Object.keys({}).length, 0)
      t.equal(Reflect.get({}, 'x'), undefined)
    },
  )

  await t.test('wrong passwords: 401 with one answer for all, then 429', async (t) => {
    const nobody = createClient({ url, ca: authority.ca })
    const attempt = (name: string): Promise<Answer> =>
      nobody.post('/v1/sessions', { name, password: 'a wrong one, again' })
    for (const name of ['auditor', 'nobody-of-this-name']) {
      for (let round = 0; round < 10; round += 1) {
        t.match(await attempt(name), { status: 401, body: { type: /:credentials-wrong$/ } })
      }
      const late = await attempt(name)
      t.match(late, { status: 429, headers: { 'retry-after': /^\d+$/ } })
    }
    const { instance: one, ...known } = (await attempt('auditor')).body
    const { instance: two, ...unknown } = (await attempt('nobody-of-this-name')).body
    t.same(known, unknown)
    t.not(one, two)
    const flood = await Promise.all(
      Array.from({ length: 40 }, (_, index) => attempt(`flood-${index}`)),
    )
    const statuses = new Set(flood.map(({ status }) => status))
    t.same([...statuses].sort(), [401, 429], 'hashing is bounded')
    t.equal((await operator.get(path)).status, 200, 'others are not affected')
  })
})
