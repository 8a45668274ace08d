// A browser without a screen: keeps cookies, follows redirects inside one origin, sends plain forms
// by copying their hidden fields and filling the named ones.

const attributes = (tag) =>
  Object.fromEntries([...tag.matchAll(/([\w-]+)(?:="([^"]*)")?/g)].slice(1).map(([, name, value]) => [name, decode(value ?? '')]))
const decode = (text) =>
  text.replace(/&(#x?\w+|\w+);/g, (all, name) => {
    const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[name]
    if (named) return named
    const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : parseInt(name.slice(1), 10)
    return Number.isNaN(code) ? all : String.fromCodePoint(code)
  })

class Page {
  constructor(url, status = 0, text = '') {
    Object.assign(this, { url, status, text })
    this.step = text.match(/<main[^>]*data-step="([^"]*)"/)?.[1]
    this.forms = [...text.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([html]) => ({
      ...attributes(html.match(/<form\b[^>]*>/)[0]),
      inputs: [...html.matchAll(/<input\b[^>]*>/g)].map(([tag]) => attributes(tag)).filter((input) => input.name),
      buttons: [...html.matchAll(/<button\b[^>]*>/g)].map(([tag]) => attributes(tag)),
    }))
  }
}

export class Browser {
  constructor(origin) {
    Object.assign(this, { origin, cookies: new Map() })
  }

  get(url) {
    return this.go('GET', new URL(url, this.origin))
  }

  async go(method, url, form) {
    for (let turn = 0; turn < 10; turn += 1) {
      if (url.origin !== this.origin) return new Page(url)
      const headers = { accept: 'text/html', cookie: [...this.cookies].map((pair) => pair.join('=')).join('; ') }
      if (method === 'POST') headers.origin = this.origin
      const answer = await fetch(url, { method, headers, redirect: 'manual', body: form && new URLSearchParams(form) })
      for (const line of answer.headers.getSetCookie()) {
        const [pair, ...rest] = line.split(';')
        const [name, value] = pair.split(/=(.*)/s)
        if (rest.some((part) => part.trim() === 'Max-Age=0')) this.cookies.delete(name)
        else this.cookies.set(name, value)
      }
      if (answer.status < 300 || answer.status >= 400) return new Page(url, answer.status, await answer.text())
      url = new URL(answer.headers.get('location'), url)
      ;[method, form] = ['GET', undefined]
    }
    throw new Error(`redirected for ever at ${url}`)
  }

  submit(page, button, fields = {}) {
    const form = page.forms.find(({ buttons }) => buttons.some(({ id }) => id === button))
    if (!form) throw new Error(`no form has the button ${button} at ${page.url} (step ${page.step})`)
    const values = Object.fromEntries(form.inputs.map(({ name, value }) => [name, value ?? '']))
    const { name, value } = form.buttons.find(({ id }) => id === button)
    return this.go('POST', new URL(form.action, page.url), { ...values, ...(name && { [name]: value }), ...fields })
  }

  async signIn(page, identifier, password) {
    while (page.step === 'identify' || page.step === 'password') {
      page = await this.submit(page, 'continue', page.step === 'identify' ? { identifier } : { password })
      if (page.status === 422) throw new Error(`refused: ${page.text}`)
    }
    return page
  }
}
