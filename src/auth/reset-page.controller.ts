import { Controller, Get, Header, Module } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AccessFor, PUBLIC } from '../common/actor/access.js';
import type { Language } from '../people/dto/account.dto.js';

interface Texts {
  title: string;
  password: string;
  again: string;
  save: string;
  different: string;
  done: string;
  failed: string;
}

const TEXTS: Record<Language, Texts> = {
  en: {
    ...{ title: 'Set a new password', password: 'New password (at least 8 characters)', again: 'The same again' },
    ...{ save: 'Save', different: 'The two are not the same.', done: 'Done. You can sign in with the new password.' },
    failed: 'This did not work. Check your connection and try again.',
  },
  es: {
    ...{ title: 'Nueva contraseña', password: 'Nueva contraseña (al menos 8 caracteres)', again: 'Otra vez la misma' },
    ...{ save: 'Guardar', different: 'Las dos no son iguales.', done: 'Listo. Ya puedes entrar con la nueva.' },
    failed: 'No ha funcionado. Comprueba la conexión e inténtalo de nuevo.',
  },
  ar: {
    ...{ title: 'كلمة مرور جديدة', password: 'كلمة المرور الجديدة (8 أحرف على الأقل)', again: 'أعد كتابتها' },
    ...{ save: 'حفظ', different: 'الكلمتان غير متطابقتين.', done: 'تم. يمكنك الآن تسجيل الدخول بكلمة المرور الجديدة.' },
    failed: 'لم ينجح ذلك. تحقق من الاتصال وحاول مرة أخرى.',
  },
};

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><title>Spotter</title>
<style>
:root { color-scheme: light dark; font: 18px/1.5 system-ui, sans-serif }
body { max-width: 24rem; margin: 12vh auto 2rem; padding: 0 1rem }
label { display: block; margin: 1rem 0 }
input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .7rem; border-radius: 8px }
input { border: 1px solid #888 }
button { background: #1a5fb4; border: 0; color: #fff; margin-top: .5rem }
</style></head>
<body><main><h1></h1>
<form>
<label><span></span><input type="password" name="password" autocomplete="new-password" minlength="8" required>
</label>
<label><span></span><input type="password" name="again" autocomplete="new-password" required></label>
<button></button></form>
<p role="status"></p></main>
<script src="reset-password.js"></script></body>
</html>
`;

const SCRIPT = `'use strict';
const all = ${JSON.stringify(TEXTS)};
const language = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in all) ?? 'en';
const texts = all[language];
const [form, status] = [document.querySelector('form'), document.querySelector('[role=status]')];
document.documentElement.lang = language;
document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
document.querySelector('h1').textContent = document.title = texts.title;
const [password, again] = form.querySelectorAll('span');
password.textContent = texts.password;
again.textContent = texts.again;
form.querySelector('button').textContent = texts.save;
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const given = new FormData(form);
  if (given.get('password') !== given.get('again')) return void (status.textContent = texts.different);
  const button = form.querySelector('button');
  button.disabled = true;
  try {
    const answer = await fetch('api/v1/auth/reset-password', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: location.hash.slice(1), new_password: given.get('password') }),
    });
    if (answer.ok) {
      form.hidden = true;
      status.textContent = texts.done;
    } else {
      const { errors, detail } = await answer.json();
      status.textContent = errors ? errors.map(({ message }) => message).join('; ') : detail;
    }
  } catch {
    status.textContent = texts.failed;
  }
  button.disabled = false;
});
`;

/** Where the link of a mail leads, for a gym that has no page of its own for it. */
@ApiExcludeController()
@Controller()
export class ResetPageController {
  @Get('reset-password')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/html; charset=utf-8')
  page(): string {
    return PAGE;
  }

  @Get('reset-password.js')
  @AccessFor(PUBLIC)
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}

@Module({ controllers: [ResetPageController] })
export class ResetPageModule {}
