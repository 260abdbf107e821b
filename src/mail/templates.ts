import type { Language } from '../people/dto/account.dto.js';

export interface Mail {
  subject: string;
  text: string;
  html: string;
}

/** What a mail says, line by line, and where its button leads. */
interface Content {
  subject: string;
  lines: string[];
  button?: { label: string; url: string };
}

/** A day of a gym. */
export interface DayFacts {
  name: string;
  gym: string;
  /** As people of that language write it. */
  date: string;
  revenue: string;
  sales: string;
  plans: string;
  visits: number;
  newMembers: number;
}

export interface ExpiryFacts {
  name: string;
  plan: string;
  gym: string;
  /** The last local day of the plan, as people of that language write it. */
  date: string;
  /** 1: tomorrow. */
  daysLeft: number;
}

const RESET: Record<Language, (name: string, url: string) => Content> = {
  en: (name, url) => ({
    subject: 'Set a new password',
    lines: [
      `Hello ${name},`,
      'you asked for a new password. This link is good for 30 minutes and for one use.',
      'If it was not you, do nothing: your password stays as it is.',
    ],
    button: { label: 'Set a new password', url },
  }),
  es: (name, url) => ({
    subject: 'Nueva contraseña',
    lines: [
      `Hola, ${name}:`,
      'has pedido una nueva contraseña. Este enlace vale 30 minutos y se puede usar una vez.',
      'Si no has sido tú, no hagas nada: tu contraseña no cambia.',
    ],
    button: { label: 'Elegir una nueva contraseña', url },
  }),
  ar: (name, url) => ({
    subject: 'كلمة مرور جديدة',
    lines: [
      `مرحبًا ${name}،`,
      'لقد طلبت كلمة مرور جديدة. هذا الرابط صالح لمدة 30 دقيقة ولمرة واحدة فقط.',
      'إذا لم تطلب ذلك فلا تفعل شيئًا: كلمة مرورك لن تتغير.',
    ],
    button: { label: 'تعيين كلمة مرور جديدة', url },
  }),
};

const FORMER: Record<Language, (name: string) => Content> = {
  en: (name) => ({
    subject: 'Your email address was changed',
    lines: [
      `Hello ${name},`,
      'this is not the address of your account any more: it was changed or removed, by you or by the front desk.',
      'If you know of it, do nothing.',
      'If not, tell the front desk of your gym at once, so that no one else gets into your account.',
    ],
  }),
  es: (name) => ({
    subject: 'Tu dirección de correo ha cambiado',
    lines: [
      `Hola, ${name}:`,
      'esta dirección ya no es la de tu cuenta: la has cambiado o quitado tú, o lo ha hecho la recepción.',
      'Si ya lo sabes, no hagas nada.',
      'Si no, avisa enseguida a la recepción de tu gimnasio, para que nadie más entre en tu cuenta.',
    ],
  }),
  ar: (name) => ({
    subject: 'تم تغيير بريدك الإلكتروني',
    lines: [
      `مرحبًا ${name}،`,
      'لم يعد هذا العنوان عنوان حسابك: لقد تم تغييره أو حذفه من قِبلك أو من قِبل مكتب الاستقبال.',
      'إذا كنت على علم بذلك فلا تفعل شيئًا.',
      'وإلا فأبلغ مكتب استقبال ناديك فورًا حتى لا يدخل أحد غيرك إلى حسابك.',
    ],
  }),
};

const EXPIRY: Record<Language, (facts: ExpiryFacts) => Content> = {
  en: ({ name, plan, gym, date, daysLeft }) => ({
    subject: daysLeft === 1 ? `Your plan at ${gym} ends tomorrow` : `Your plan at ${gym} ends on ${date}`,
    lines: [
      `Hello ${name},`,
      `your plan “${plan}” at ${gym} ends on ${date}.`,
      'The front desk is glad to renew it: then it goes on without a gap.',
    ],
  }),
  es: ({ name, plan, gym, date, daysLeft }) => ({
    subject: daysLeft === 1 ? `Tu plan en ${gym} termina mañana` : `Tu plan en ${gym} termina el ${date}`,
    lines: [
      `Hola, ${name}:`,
      `tu plan «${plan}» en ${gym} termina el ${date}.`,
      'En recepción te lo renuevan con gusto: así continúa sin interrupción.',
    ],
  }),
  ar: ({ name, plan, gym, date, daysLeft }) => ({
    subject: daysLeft === 1 ? `اشتراكك في ${gym} ينتهي غدًا` : `اشتراكك في ${gym} ينتهي في ${date}`,
    lines: [
      `مرحبًا ${name}،`,
      `ينتهي اشتراكك «${plan}» في ${gym} في ${date}.`,
      'يسعد مكتب الاستقبال تجديده لك ليستمر دون انقطاع.',
    ],
  }),
};

const DAY: Record<Language, (facts: DayFacts) => Content> = {
  en: ({ name, gym, date, revenue, sales, plans, visits, newMembers }) => ({
    subject: `${gym}, ${date}: ${revenue}`,
    lines: [
      `Good morning ${name},`,
      `this was ${date} at ${gym}:`,
      `Revenue: ${revenue} (products ${sales}, plans ${plans})`,
      `Visits: ${visits}`,
      `New members: ${newMembers}`,
    ],
  }),
  es: ({ name, gym, date, revenue, sales, plans, visits, newMembers }) => ({
    subject: `${gym}, ${date}: ${revenue}`,
    lines: [
      `Buenos días, ${name}:`,
      `así fue el ${date} en ${gym}:`,
      `Ingresos: ${revenue} (productos ${sales}, planes ${plans})`,
      `Visitas: ${visits}`,
      `Socios nuevos: ${newMembers}`,
    ],
  }),
  ar: ({ name, gym, date, revenue, sales, plans, visits, newMembers }) => ({
    subject: `${gym}، ${date}: ${revenue}`,
    lines: [
      `صباح الخير ${name}،`,
      `أرقام ${gym} ليوم ${date}:`,
      `الإيرادات: ${revenue} (المنتجات ${sales}، الاشتراكات ${plans})`,
      `الزيارات: ${visits}`,
      `الأعضاء الجدد: ${newMembers}`,
    ],
  }),
};

export const dayMail = (language: Language, facts: DayFacts): Mail => written(language, DAY[language](facts));

export const resetMail = (language: Language, name: string, url: string): Mail =>
  written(language, RESET[language](name, url));

/** It does not say the new address: who reads the old one may be a stranger. */
export const formerMail = (language: Language, name: string): Mail => written(language, FORMER[language](name));

export const expiryMail = (language: Language, facts: ExpiryFacts): Mail => written(language, EXPIRY[language](facts));

function written(language: Language, { subject, lines, button }: Content): Mail {
  const direction = language === 'ar' ? 'rtl' : 'ltr';
  const paragraphs = lines.map((line) => `<p>${escape(line)}</p>`).join('\n');
  const link = button
    ? `<p><a href="${escape(button.url)}" style="display:inline-block;padding:12px 20px;border-radius:6px;` +
      `background:#1a5fb4;color:#fff;text-decoration:none">${escape(button.label)}</a></p>`
    : '';
  return {
    subject: oneLine(subject),
    text: [...lines, ...(button ? [button.url] : [])].join('\n\n'),
    html: `<!doctype html>
<html lang="${language}" dir="${direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:1.5rem auto;padding:0 1rem">
${paragraphs}
${link}
</body>
</html>
`,
  };
}

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!);

/** A name may hold what people type; a subject is one line, and so is whom a mail is to. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
