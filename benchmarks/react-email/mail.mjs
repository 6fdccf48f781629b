// The new-device email in react-email, as a product that writes its emails in React renders it for each user.
import { Body, Button, Container, Head, Heading, Html, Preview, Section, Text } from "@react-email/components";
import { render } from "@react-email/render";
import { createElement as h } from "react";

const style = { fontFamily: "sans-serif", fontSize: "16px", lineHeight: "24px", color: "#1a1c1b" };
const fact = (name, value) => h(Text, { key: name, style }, `${name}: ${value}`);

function NewDevice({ device, location, time, url }) {
  return h(Html, { lang: "en" }, h(Head), h(Preview, null, `${device}, ${location}`), h(Body, { style },
    h(Container, { style: { maxWidth: "600px" } },
      h(Heading, null, "New sign-in to your account"),
      h(Text, { style }, "Your account was used on a device that we have not seen before."),
      h(Section, null, [fact("Device", device), fact("Location", location), fact("Time", time)]),
      h(Button, { href: url, style: { ...style, padding: "12px 20px" } }, "This was not me"),
      h(Text, { style }, "If it was you, there is nothing to do."))));
}

const facts = { device: "Chrome on Windows", location: "Lisbon", time: "21 November 2026, 10:30", url: "https://example.com/x" };
const rates = [];
for (let round = 0; round < 6; round++) {
  const began = performance.now();
  for (let number = 0; number < 300; number++) {
    await render(h(NewDevice, facts));
    await render(h(NewDevice, facts), { plainText: true });
  }
  rates.push(300 / ((performance.now() - began) / 1000));
}
rates.shift();
rates.sort((a, b) => a - b);
const [least, middle, most] = [rates[0], rates[2], rates[4]].map((rate) => Math.round(rate));
console.log(`${"react-email".padEnd(20)} ${String(middle).padStart(8)} emails/s  ${least}-${most}`);
