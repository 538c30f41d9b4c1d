/** A form that publishes an Application Message as whoever is signed in. */
import { toast } from "./dialogs.js";
import { make } from "./dom.js";
import { labelled, roleButton, segments } from "./fields.js";
import { integer } from "./format.js";

/**
 * The form, and what sets its topic; `published` is called when the broker has committed a message.
 * @param {import("./main.js").Context} context
 * @param {() => void} published
 */
export function publishForm({ api, identity }, published) {
  const topic = make("input", {
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    class: "code",
  });
  const payload = make("textarea", { rows: "4", spellcheck: "false", class: "code" });
  const retain = make("input", { type: "checkbox" });
  let qos = "0";
  async function publish() {
    if (topic.value === "") {
      topic.focus();
      toast("info", "A message needs a topic.");
      return;
    }
    const body = {
      topic: topic.value,
      payload: payload.value,
      qos: Number(qos),
      retain: retain.checked,
    };
    const { matched } = await api.change("POST", "publish", { body });
    const many = matched === 1 ? "1 subscriber" : `${integer(matched)} subscribers`;
    toast(
      "ok",
      `Published on ${body.topic}: for ${many}${body.retain ? ", and retained" : ""}.`,
    );
    published();
  }
  const form = make(
    "form",
    { class: "publish" },
    make("h2", {}, "Publish"),
    labelled("Topic", topic),
    labelled("Payload", payload),
    make(
      "div",
      { class: "bar" },
      segments("QoS", {
        choices: [["0", "QoS 0"], ["1", "QoS 1"], ["2", "QoS 2"]],
        chosen: qos,
        changed: (value) => void (qos = value),
      }),
      make("label", { class: "check" }, retain, "Retain"),
      roleButton("Publish", {
        role: identity.role,
        needs: "operate",
        class: "button primary",
        press: publish,
      }),
    ),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  return {
    element: form,
    /** @param {string} name */
    setTopic: (name) => void (topic.value = name),
  };
}
