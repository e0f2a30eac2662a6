"""Both losses of a GAN and their gradients, with labels that are not quite sure."""

import numpy as np

from fmkit.activations import sigmoid
from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, size=2.0, smooth=0.1):
        return size * rng.normal(size=n), size * rng.normal(size=m), smooth

    far = np.array([-1000.0, 900.0]), np.array([800.0, -1000.0, 0.0]), 0.1
    return [
        (np.zeros(1), np.zeros(1), 0.0),
        case(3, 2),
        case(2, 5, smooth=0.0),
        far,
        case(4, 3, 10.0, 0.25),
        case(1, 4, 3.0, 0.4),
        as_float32(case(5, 3)),
    ]


def gan_step(real, fake, smooth):
    p_real, p_fake = sigmoid(real)[0], sigmoid(fake)[0]
    d_loss = ((1 - smooth) * np.logaddexp(0, -real) + smooth * np.logaddexp(0, real)).mean()
    d_loss += np.logaddexp(0, fake).mean()
    g_loss = np.logaddexp(0, -fake).mean()
    dreal = (p_real - (1 - smooth)) / len(real)
    dfake = p_fake / len(fake)
    dforger = (p_fake - 1) / len(fake)
    d_loss, g_loss = float(d_loss), float(g_loss)
    return d_loss, g_loss, dreal, dfake, dforger


def one_formula(real, fake, smooth):
    def loss(z, y):  # binary cross-entropy from logits, and its gradient
        p = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
        return (np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).mean(), (p - y) / len(z)

    (one, dreal), (two, dfake), (g_loss, dforger) = loss(real, 1 - smooth), loss(fake, 0), loss(fake, 1)
    return float(one + two), float(g_loss), dreal, dfake, dforger


def loop(real, fake, smooth):
    def softplus(z):
        return max(z, 0.0) + float(np.log1p(np.exp(-abs(z))))

    d_loss = sum((1 - smooth) * softplus(-z) + smooth * softplus(z) for z in real.tolist()) / len(real)
    d_loss += sum(softplus(z) for z in fake.tolist()) / len(fake)
    g_loss = sum(softplus(-z) for z in fake.tolist()) / len(fake)
    dreal = [(np.tanh(z / 2) / 2 + 0.5 - 1 + smooth) / len(real) for z in real.tolist()]
    dfake = [(np.tanh(z / 2) / 2 + 0.5) / len(fake) for z in fake.tolist()]
    dforger = [d - 1 / len(fake) for d in dfake]
    return d_loss, g_loss, *(np.array(d, real.dtype) for d in (dreal, dfake, dforger))


EXERCISE = Exercise(
    title="A forger and a detective who is never quite sure",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,  # Python numbers come out of float32 inputs
    cases=cases,
    reference=gan_step,
    alternatives=(one_formula, loop),
    teaches=(
        "unlabelled.discriminator_loss",
        "unlabelled.generator_loss",
        "unlabelled.discriminator_loss_backward",
        "unlabelled.generator_loss_backward",
    ),
    parts=True,
    equal=(
        ("p_real, p_fake = (sigmoid(real)[1], sigmoid(fake)[0])", "sigmoid's cache is its result"),
        ("p_real, p_fake = (sigmoid(real)[-1], sigmoid(fake)[0])", "sigmoid's cache is its result"),
        ("p_real, p_fake = (sigmoid(real)[0], sigmoid(fake)[1])", "sigmoid's cache is its result"),
        ("p_real, p_fake = (sigmoid(real)[0], sigmoid(fake)[-1])", "sigmoid's cache is its result"),
        (
            "d_loss = ((1 - smooth) * np.logaddexp(-real, 0) + smooth * np.logaddexp(0, real)).mean()",
            "logaddexp is symmetric",
        ),
        (
            "d_loss = ((1 - smooth) * np.logaddexp(0, -real) + smooth * np.logaddexp(real, 0)).mean()",
            "logaddexp is symmetric",
        ),
        ("d_loss += np.logaddexp(fake, 0).mean()", "logaddexp is symmetric"),
        ("g_loss = np.logaddexp(-fake, 0).mean()", "logaddexp is symmetric"),
        ("return (d_loss, g_loss, dreal, dfake, dforger)", "NumPy's numbers are numbers, too"),
    ),
    mistakes=(
        mistake(
            "the forger gets the detective's loss with a minus",
            ("g_loss = -np.logaddexp(0, fake).mean()", "dforger = -p_fake / len(fake)"),
            "That one is flat where the forgery is found out at once: pay for not being called real instead.",
        ),
        mistake(
            "the forger is made to be found out",
            ("g_loss = np.logaddexp(0, fake).mean()", "dforger = p_fake / len(fake)"),
            "The forger wants the detective to say real: whose logits should rise?",
        ),
        mistake(
            "the forger gets no gradient",
            "dforger = np.zeros_like(fake)",
            "Cut off from the detective, the forger learns nothing at all.",
        ),
        mistake(
            "real and forged exchanged",
            (
                "d_loss = ((1 - smooth) * np.logaddexp(0, real) + smooth * np.logaddexp(0, -real)).mean()",
                "d_loss += np.logaddexp(0, -fake).mean()",
                "dreal = (p_real - smooth) / len(real)",
                "dfake = (p_fake - 1) / len(fake)",
            ),
            "A positive logit says real: what should it say of a real picture?",
        ),
        mistake(
            "the forgeries smoothed, too",
            (
                "d_loss += ((1 - smooth) * np.logaddexp(0, fake) + smooth * np.logaddexp(0, -fake)).mean()",
                "dfake = (p_fake - smooth) / len(fake)",
            ),
            "One-sided: a forgery is called forged without a doubt, or the forger may stay as bad as it is.",
        ),
        mistake(
            "not smoothed at all",
            ("d_loss = np.logaddexp(0, -real).mean()", "dreal = (p_real - 1) / len(real)"),
            "smooth does not appear in your result: the real pictures' label is 1 - smooth.",
        ),
        mistake(
            "the loss smoothed, its gradient not",
            "dreal = (p_real - 1) / len(real)",
            "The gradient is p minus the label, and the label is 1 - smooth.",
        ),
        mistake(
            "the gradient smoothed, the loss not",
            "d_loss = np.logaddexp(0, -real).mean()",
            "With the label 1 - smooth both surprises count: how much of each?",
        ),
        mistake(
            "the label made smaller without its other half",
            "d_loss = ((1 - smooth) * np.logaddexp(0, -real)).mean()",
            "A label of 0.9 is nine tenths of real and one tenth of forged.",
        ),
        mistake(
            "one mean over real and forged together",
            (
                "d_loss = ((1 - smooth) * np.logaddexp(0, -real) + smooth * np.logaddexp(0, real)).sum()",
                "d_loss += np.logaddexp(0, fake).sum()",
                "g_loss = np.logaddexp(0, -fake).mean()\nd_loss /= len(real) + len(fake)",
                "dreal = (p_real - (1 - smooth)) / (len(real) + len(fake))",
                "dfake = p_fake / (len(real) + len(fake))",
            ),
            "Two means, one of each kind, added: otherwise the larger pile counts more.",
        ),
        mistake(
            "the mean forgotten in the gradients",
            (
                "dreal = p_real - (1 - smooth)",
                "dfake = p_fake * 1",
                "dforger = p_fake - 1",
            ),
            "The losses are means: what does that do to each picture's share?",
        ),
        mistake(
            "the sigmoid taken twice",
            "p_real, p_fake = sigmoid(sigmoid(real)[0])[0], sigmoid(sigmoid(fake)[0])[0]",
            "p is the sigmoid of the logit, once.",
        ),
        mistake(
            "the detective's gradients with the wrong sign",
            ("dreal = ((1 - smooth) - p_real) / len(real)", "dfake = -p_fake / len(fake)"),
            "p minus label: a gradient points to where the loss grows.",
        ),
        mistake(
            "the forger's gradient with the wrong sign",
            "dforger = (1 - p_fake) / len(fake)",
            "p minus label: a gradient points to where the loss grows.",
        ),
        mistake(
            "a logarithm of what was rounded to 0, or overflowed",
            "g_loss = -np.log(p_fake).mean()",
            "At a logit of -1000 the probability is 0, and exp(1000) overflows: np.logaddexp is safe.",
        ),
        mistake(
            "a probability kept away from 0",
            "g_loss = -np.log(p_fake + 1e-8).mean()",
            "An epsilon is a ceiling: start from the logit, log(1 + exp), and none is needed.",
        ),
        mistake(
            "only the forgeries count for the detective",
            ("d_loss = 0.0 * real.mean()",),
            "The detective also pays for each real picture that it does not call real.",
        ),
        mistake(
            "the forger's gradient smoothed, its loss not",
            "dforger = (p_fake - 1 + smooth) / len(fake)",
            "Only the real pictures' label is smoothed: what does the forger want to hear?",
        ),
        mistake(
            "the slope of the sigmoid for that of the loss",
            "dforger = p_fake * (p_fake - 1) / len(fake)",
            "The slope of -log sigmoid is simpler: the sigmoid's own slope has cancelled.",
        ),
        mistake(
            "the two losses in the wrong order",
            "return g_loss, d_loss, dreal, dfake, dforger",
            "First the detective's loss, then the forger's.",
        ),
        mistake(
            "logits for probabilities",
            "p_real, p_fake = real, fake",
            "p minus label: which function makes a probability of a logit?",
        ),
        mistake(
            "the forger's label smoothed, too",
            (
                "g_loss = ((1 - smooth) * np.logaddexp(0, -fake) + smooth * np.logaddexp(0, fake)).mean()",
                "dforger = (p_fake - 1 + smooth) / len(fake)",
            ),
            "Only the real pictures' label is smoothed: what does the forger want to hear?",
        ),
        mistake(
            "the label taken for a weight, without its other half",
            (
                "d_loss = ((1 - smooth) * np.logaddexp(0, -real)).mean()",
                "dreal = (1 - smooth) * (p_real - 1) / len(real)",
            ),
            "A label of 0.9 is nine tenths of real and one tenth of forged: the tenth costs, too.",
        ),
        mistake(
            "smooth itself for the label",
            (
                "d_loss = (smooth * np.logaddexp(0, -real) + (1 - smooth) * np.logaddexp(0, real)).mean()",
                "dreal = (p_real - smooth) / len(real)",
            ),
            "With smooth = 0.1 a real picture is to be called real, nearly for sure.",
        ),
    ),
    hints=(
        "np.logaddexp(0, z) is log(1 + exp(z)), safe: z = -logit at real, logit at forged.",
        "Every gradient is (p - label) / count; the labels are 1 - smooth, 0, and for the forger 1.",
    ),
)
