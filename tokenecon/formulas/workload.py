"""What a workload is: volumes that must fit each other, and how fast speech is transcribed."""

from tokenecon.units import HOURS_PER_DAY


def tok_per_day_of_conversations(*, conversations_per_day, turns, tok_per_turn):
    r"""Daily tokens of conversations.

    .. math:: V = n\,k\,\tau

    Parameters
    ----------
    conversations_per_day : float or ndarray
        Conversations a day, n. [request/day]
    turns : float or ndarray
        Turns in a conversation, k. [count]
    tok_per_turn : float or ndarray
        Tokens in a turn, tau. [tok/request]

    Returns
    -------
    float or ndarray
        Tokens a day, V. [tok/day]

    Examples
    --------
    10 million conversations of 20 turns of 150 tokens:

    >>> tok_per_day_of_conversations(conversations_per_day=10e6, turns=20, tok_per_turn=150)
    30000000000.0
    """
    return conversations_per_day * turns * tok_per_turn


def tok_per_turn(*, tok_per_day, conversations_per_day, turns):
    r"""Tokens in a turn that a stated volume implies.

    .. math:: \tau = \frac{V}{n\,k}

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    conversations_per_day : float or ndarray
        Conversations a day, n. [request/day]
    turns : float or ndarray
        Turns in a conversation, k. [count]

    Returns
    -------
    float or ndarray
        Tokens in a turn, tau. [tok/request]

    Examples
    --------
    2 billion tokens for 10 million conversations of 20 turns:

    >>> tok_per_turn(tok_per_day=2e9, conversations_per_day=10e6, turns=20)
    10.0
    """
    return tok_per_day / (conversations_per_day * turns)


def tok_per_day_of_audio(*, audio_hours_per_day, tok_per_audio_hour):
    r"""Daily tokens of transcribed speech.

    .. math:: V = a\,\tau

    Parameters
    ----------
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]
    tok_per_audio_hour : float or ndarray
        Tokens in an hour of audio, tau. [tok/h]

    Returns
    -------
    float or ndarray
        Tokens a day, V. [tok/day]

    Examples
    --------
    >>> tok_per_day_of_audio(audio_hours_per_day=5000, tok_per_audio_hour=10000)
    50000000
    """
    return audio_hours_per_day * tok_per_audio_hour


def tok_per_audio_hour(*, tok_per_day, audio_hours_per_day):
    r"""Tokens in an hour of audio that a stated volume implies.

    .. math:: \tau = V / a

    Parameters
    ----------
    tok_per_day : float or ndarray
        Tokens a day, V. [tok/day]
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]

    Returns
    -------
    float or ndarray
        Tokens in an hour of audio, tau. [tok/h]

    Examples
    --------
    50 million tokens for 5000 hours:

    >>> tok_per_audio_hour(tok_per_day=50e6, audio_hours_per_day=5000)
    10000.0
    """
    return tok_per_day / audio_hours_per_day


def required_real_time_factor(*, audio_hours_per_day, gpus):
    r"""Hours of audio that each GPU of a fleet must transcribe in an hour.

    .. math:: \frac{a}{24\,N}

    Parameters
    ----------
    audio_hours_per_day : float or ndarray
        Hours of audio a day, a. [h/day]
    gpus : float or ndarray
        GPUs of the fleet, N. [GPU]

    Returns
    -------
    float or ndarray
        Real-time factor of a GPU. [ratio/GPU]

    Examples
    --------
    5000 hours a day are 208.3 in an hour, on 375 GPUs:

    >>> required_real_time_factor(audio_hours_per_day=5000, gpus=375)
    0.5556
    """
    return audio_hours_per_day / HOURS_PER_DAY / gpus


def speech_window_flop(*, encoder_flop, decoder_parameters, text_positions, flop_per_multiply_add):
    r"""Arithmetic to transcribe one window of audio: the encoder once, the decoder for each text token.

    .. math:: F = F_{enc} + 2\,P_{dec}\,n

    Parameters
    ----------
    encoder_flop : float or ndarray
        Arithmetic of the encoder over the window's frames, F_enc. [FLOP]
    decoder_parameters : float or ndarray
        Parameters of the decoder, P_dec. [param]
    text_positions : float or ndarray
        Text tokens in the window, n. [position]
    flop_per_multiply_add : float
        FLOP counted for one multiplication and addition: 2. [FLOP]

    Returns
    -------
    float or ndarray
        Arithmetic of a window, F. [FLOP]

    References
    ----------
    Radford et al. 2022, Whisper, arXiv:2212.04356.

    Examples
    --------
    Whisper large, 83 tokens in 30 s: 2.27364e12 + 2 * 0.906e9 * 83:

    >>> speech_window_flop(encoder_flop=2.27364e12, decoder_parameters=0.906e9, text_positions=83,
    ...                    flop_per_multiply_add=2)
    2424036000000.0
    """
    return encoder_flop + flop_per_multiply_add * decoder_parameters * text_positions


def real_time_factor(*, window_s, window_flop, flop_per_s_per_gpu, mfu):
    r"""Seconds of audio that one GPU transcribes in a second where arithmetic is what binds.

    .. math:: \frac{w\,\hat F\,\eta_c}{F}

    Parameters
    ----------
    window_s : float or ndarray
        Length of a window of audio, w. [s]
    window_flop : float or ndarray
        Arithmetic to transcribe it, F. [FLOP]
    flop_per_s_per_gpu : float or ndarray
        Peak dense arithmetic of a GPU. [FLOP/s/GPU]
    mfu : float or ndarray
        Share of it that is reached, eta_c. [fraction]

    Returns
    -------
    float or ndarray
        Real-time factor of a GPU. [ratio/GPU]

    References
    ----------
    Radford et al. 2022, Whisper, arXiv:2212.04356.

    Examples
    --------
    30 s at a tenth of an A100's 312 TFLOP/s: 936/2.424:

    >>> real_time_factor(window_s=30, window_flop=2.424e12, flop_per_s_per_gpu=312e12, mfu=0.1)
    386.1386
    """
    return window_s * flop_per_s_per_gpu * mfu / window_flop
